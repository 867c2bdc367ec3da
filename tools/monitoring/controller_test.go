package monitoring

// histories are series in which an alert fires, and others in which it does not,
// by the reason.
type histories struct{ fires, quiet map[string]string }

var controllerHistories = map[string]histories{
	"FreeholdControllerAbsent": {
		fires: map[string]string{"nothing is scraped": "up 1x60"},
		quiet: map[string]string{"it is there": "freehold_last_full_pass_timestamp_seconds 0+60x60"},
	},
	"FreeholdNoLeader": {
		fires: map[string]string{"two follow": `leader_election_master_status{name="namespace-controller",instance="a"} 0x60
			leader_election_master_status{name="namespace-controller",instance="b"} 0x60`},
		quiet: map[string]string{
			"one leads": `leader_election_master_status{name="namespace-controller",instance="a"} 0x60
			leader_election_master_status{name="namespace-controller",instance="b"} 1x60`,
			"a change of leaders": `leader_election_master_status{name="namespace-controller"} 1x55 0x2 1x10`,
		},
	},
	"FreeholdFullPassStale": {
		fires: map[string]string{"the leader passed once": `freehold_last_full_pass_timestamp_seconds{instance="a"} 60x60
			freehold_last_full_pass_timestamp_seconds{instance="b"} 0x60`},
		quiet: map[string]string{"a pass every ten minutes": "freehold_last_full_pass_timestamp_seconds 0x4 300x9 900x9 1500x9 2100x9 2700x9 3300x9"},
	},
	"FreeholdNetworkUnfenced": {
		fires: map[string]string{
			"one is not":     `freehold_projects{condition="NetworkFenced",status="False"} 1x60`,
			"one is not yet": `freehold_projects{condition="NetworkFenced",status="Unknown"} 0x50 1x10`,
		},
		quiet: map[string]string{
			"all are":           `freehold_projects{condition="NetworkFenced",status="True"} 7x60`,
			"one is being made": `freehold_projects{condition="NetworkFenced",status="Unknown"} 0x57 1x3`,
			"another condition": `freehold_projects{condition="QuotaApplied",status="False"} 1x60`,
		},
	},
	"FreeholdProjectsNotReady": {
		fires: map[string]string{"two of seven": `freehold_projects{condition="Ready",status="False"} 2x60`},
		quiet: map[string]string{
			"all are ready":   `freehold_projects{condition="Ready",status="True"} 7x60`,
			"for ten minutes": `freehold_projects{condition="Ready",status="False"} 0x50 2x10`,
		},
	},
	"FreeholdProjectsDegraded": {
		fires: map[string]string{"one is": `freehold_projects{condition="Degraded",status="True"} 1x60`},
		quiet: map[string]string{"none is": `freehold_projects{condition="Degraded",status="False"} 7x60`},
	},
	"FreeholdProjectsBehind": {
		fires: map[string]string{"one stays behind": "freehold_projects_behind 1x60"},
		quiet: map[string]string{"each catches up": "freehold_projects_behind 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5 0x1 1x5"},
	},
	"FreeholdReconcileFailing": {
		fires: map[string]string{"half fail": `controller_runtime_reconcile_total{controller="project",result="error"} 0+6x60
			controller_runtime_reconcile_total{controller="project",result="success"} 0+6x60`},
		quiet: map[string]string{
			"one in a hundred": `controller_runtime_reconcile_total{controller="project",result="error"} 0+1x60
			controller_runtime_reconcile_total{controller="project",result="success"} 0+99x60`,
			"nothing to do": `controller_runtime_reconcile_total{controller="project",result="error"} 5x60
			controller_runtime_reconcile_total{controller="project",result="success"} 5x60`,
		},
	},
	"FreeholdReconcileSlow": {
		fires: map[string]string{"all take ten seconds": `controller_runtime_reconcile_time_seconds_bucket{controller="project",le="5"} 0x60
			controller_runtime_reconcile_time_seconds_bucket{controller="project",le="10"} 0+9x60
			controller_runtime_reconcile_time_seconds_bucket{controller="project",le="+Inf"} 0+9x60`},
		quiet: map[string]string{"all take a moment": `controller_runtime_reconcile_time_seconds_bucket{controller="project",le="5"} 0+9x60
			controller_runtime_reconcile_time_seconds_bucket{controller="project",le="+Inf"} 0+9x60`},
	},
	"FreeholdWorkStuck": {
		fires: map[string]string{"one never ends": `workqueue_longest_running_processor_seconds{name="project"} 0+60x60`},
		quiet: map[string]string{"each ends": steady(`workqueue_longest_running_processor_seconds{name="project"}`)},
	},
	"FreeholdFoughtOver": {
		fires: map[string]string{"ten a minute": `freehold_restored_total{kind="NetworkPolicy"} 0+10x60`},
		quiet: map[string]string{
			"somebody tried once": `freehold_restored_total{kind="NetworkPolicy"} 0x40 3x20`,
			"nobody ever":         `freehold_writes_total{kind="NetworkPolicy"} 0+10x60`,
		},
	},
	"FreeholdProjectsPullFailing": {
		fires: map[string]string{"all fail": `freehold_projects_pulls_total{result="failed"} 0+1x60
			freehold_projects_pulls_total{result="done"} 4x60`},
		quiet: map[string]string{
			"some fail": `freehold_projects_pulls_total{result="failed"} 0+1x60
			freehold_projects_pulls_total{result="done"} 0+1x60`,
			"nothing is pulled": `freehold_projects_pulls_total{result="failed"} 0x60
			freehold_projects_pulls_total{result="done"} 0x60`,
		},
	},
	"FreeholdPulledProjectsRefused": {
		fires: map[string]string{"a name is somebody's": `freehold_projects_pulled{state="foreign"} 1x60`},
		quiet: map[string]string{"all are in place": `freehold_projects_pulled{state="listed"} 9x60
			freehold_projects_pulled{state="foreign"} 0x60`},
	},
}
