package monitoring

var serverHistories = map[string]histories{
	"FreeholdServerAbsent": {
		fires: map[string]string{"nothing is scraped": "up 1x60"},
		quiet: map[string]string{"a process without requests is": "freehold_requests_in_flight 0x60"},
	},
	"FreeholdRequestsFailing": {
		fires: map[string]string{
			"the registry is away": `freehold_requests_total{procedure="/a/List",code="unavailable"} 0+6x60
				freehold_requests_total{procedure="/a/List",code="ok"} 0+6x60`,
			"a load balancer's view of it": `freehold_requests_total{procedure="",code="http_502"} 0+60x60`,
		},
		quiet: map[string]string{
			"callers have no right": `freehold_requests_total{procedure="/a/List",code="permission_denied"} 0+60x60
				freehold_requests_total{procedure="",code="http_421"} 0+60x60`,
			"one in a hundred": `freehold_requests_total{procedure="/a/List",code="internal"} 0+1x60
				freehold_requests_total{procedure="/a/List",code="ok"} 0+99x60`,
			"nobody asks": `freehold_requests_total{procedure="/a/List",code="internal"} 5x60`,
			"a restart": `freehold_requests_total{procedure="/a/List",code="unavailable"} 0x52 5x8
				freehold_requests_total{procedure="/a/List",code="ok"} 0+20x60`,
		},
	},
	"FreeholdIdentityUnavailable": {
		fires: map[string]string{"every caller is turned away": `freehold_requests_refused_total{decision="unavailable",reason="identity: unavailable"} 0+6x60`},
		quiet: map[string]string{
			"a restart of the identity service": `freehold_requests_refused_total{decision="unavailable",reason="identity: unavailable"} 0x50 20x10`,
			"others are refused":                `freehold_requests_refused_total{decision="refused",reason=""} 0+60x60`,
		},
	},
	"FreeholdReadsSlow": {
		fires: map[string]string{"all take five seconds": `freehold_request_duration_seconds_bucket{procedure="/a/ListX",le="1"} 0x60
			freehold_request_duration_seconds_bucket{procedure="/a/ListX",le="10"} 0+9x60
			freehold_request_duration_seconds_bucket{procedure="/a/ListX",le="+Inf"} 0+9x60`},
		quiet: map[string]string{
			"all take a moment": `freehold_request_duration_seconds_bucket{procedure="/a/ListX",le="0.05"} 0+9x60
				freehold_request_duration_seconds_bucket{procedure="/a/ListX",le="1"} 0+9x60
				freehold_request_duration_seconds_bucket{procedure="/a/ListX",le="+Inf"} 0+9x60`,
			"somebody waits for an operation": `freehold_request_duration_seconds_bucket{procedure="/a/WaitOperation",le="1"} 0x60
				freehold_request_duration_seconds_bucket{procedure="/a/WaitOperation",le="600"} 0+9x60
				freehold_request_duration_seconds_bucket{procedure="/a/WaitOperation",le="+Inf"} 0+9x60`,
		},
	},
	"FreeholdCallersRefused": {
		fires: map[string]string{"two a second": `freehold_requests_refused_total{decision="refused",reason=""} 0+120x60`},
		quiet: map[string]string{
			"one in ten seconds": `freehold_requests_refused_total{decision="refused",reason=""} 0+6x60`,
			"a burst":            `freehold_requests_refused_total{decision="refused",reason=""} 0x30 600x30`,
		},
	},
	"FreeholdRequestsMisaddressed": {
		fires: map[string]string{"the load balancer sends its own name": `freehold_requests_refused_total{decision="misaddressed",reason="host"} 0+60x60
			freehold_requests_total{procedure="",code="http_421"} 0+60x60`},
		quiet: map[string]string{"a scanner beside customers": `freehold_requests_refused_total{decision="misaddressed",reason="host"} 0+60x60
			freehold_requests_total{procedure="",code="http_421"} 0+60x60
			freehold_requests_total{procedure="/a/List",code="ok"} 0+120x60`},
	},
	"FreeholdOrgsLimited": {
		fires: map[string]string{"a pipeline polls all the time": `freehold_requests_limited_total{by="rate"} 0+60x60`},
		quiet: map[string]string{
			"a burst once":   `freehold_requests_limited_total{by="rate"} 0x30 50x30`,
			"an address is":  `freehold_requests_limited_total{by="peer"} 0+60x60`,
			"nobody ever is": `freehold_requests_limited_total{by="rate"} 0x60`,
		},
	},
	"FreeholdMemoryGrows": {
		fires: map[string]string{"one process has three gigabytes": `process_resident_memory_bytes{instance="a"} 3000000000x60`},
		quiet: map[string]string{"each has half of one": `process_resident_memory_bytes{instance="a"} 500000000x60
			process_resident_memory_bytes{instance="b"} 500000000x60`},
	},
}
