package policies

import "slices"

const typeCluster = "aws:eks/cluster:Cluster"

var secretsEncrypted = Rule{
	ID:       "FH706",
	Title:    "Kubernetes secrets are encrypted with the org's own key",
	Why:      "a copy of etcd would show every secret of every project",
	Fix:      "set encryptionConfig with resources [secrets] and the org's data key",
	Severity: High,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    []string{typeCluster},
	Check: on(func(j *judge, r Resource, s Scope) {
		config := r.values().get("encryptionConfig")
		j.ownKey(config.get("provider", "keyArn"), s)
		resources := config.get("resources")
		if !j.known(resources) || slices.ContainsFunc(resources.each(), func(v value) bool { return v.is("secrets") }) {
			return
		}
		for _, v := range resources.each() {
			if v.unknown() {
				j.undecided(v.path)
				return
			}
		}
		j.violate(resources.path, "secrets are not among what is encrypted")
	}),
	Good: []Example{
		shows("the org's key", typeCluster, object{"encryptionConfig": object{"provider": object{"keyArn": acmeKey}, "resources": list{"secrets"}}}),
		shows("the org's key, in a list of blocks", typeCluster, object{"encryptionConfig": list{object{"provider": object{"keyArn": acmeKey}, "resources": list{"secrets"}}}}),
	},
	Bad: []Example{
		shows("nothing said", typeCluster, object{"name": "acme"}),
		shows("another customer's key", typeCluster, object{"encryptionConfig": object{"provider": object{"keyArn": otherKey}, "resources": list{"secrets"}}}),
		shows("a key for nothing", typeCluster, object{"encryptionConfig": object{"provider": object{"keyArn": acmeKey}, "resources": list{}}}),
	},
}

// planeLogs are all that EKS's control plane writes.
// https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
var planeLogs = []string{"api", "audit", "authenticator", "controllerManager", "scheduler"}

var controlPlaneLogs = Rule{
	ID:       "FH707",
	Title:    "The cluster's control plane keeps every log",
	Why:      "without the audit and authenticator logs nobody can say who did what, from where, and as whom",
	Fix:      "set enabledClusterLogTypes to api, audit, authenticator, controllerManager and scheduler",
	Severity: Medium,
	Criteria: []string{"CC7.2", "CC7.3"},
	Types:    []string{typeCluster},
	Check: on(func(j *judge, r Resource, _ Scope) {
		on := r.values().get("enabledClusterLogTypes")
		if !j.known(on) {
			return
		}
		unknown := false
		for _, v := range on.each() {
			unknown = unknown || v.unknown()
		}
		for _, log := range planeLogs {
			switch {
			case slices.ContainsFunc(on.each(), func(v value) bool { return v.is(log) }):
			case unknown:
				j.undecided(on.path)
			default:
				j.violate(on.path, "the %s log is off", log)
			}
		}
	}),
	Good: []Example{
		shows("all five", typeCluster, object{"enabledClusterLogTypes": list{"api", "audit", "authenticator", "controllerManager", "scheduler"}}),
		shows("all five in another order", typeCluster, object{"enabledClusterLogTypes": list{"scheduler", "audit", "api", "controllerManager", "authenticator"}}),
	},
	Bad: []Example{
		shows("the cheap ones", typeCluster, object{"enabledClusterLogTypes": list{"api", "audit"}}),
		shows("none", typeCluster, object{"enabledClusterLogTypes": list{}}),
	},
}

var logRetention = Rule{
	ID:       "FH708",
	Title:    "Log groups keep their logs for a stated time",
	Why:      "without one logs stay for ever, and nobody has said for how long they must",
	Fix:      "set retentionInDays",
	Severity: Medium,
	Criteria: []string{"CC7.2"},
	Types:    []string{"aws:cloudwatch/logGroup:LogGroup", "aws:cloudtrail/eventDataStore:EventDataStore"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		if r.Type == "aws:cloudtrail/eventDataStore:EventDataStore" {
			j.mustNot(r.values().get("suspend"), []string{"true"}, "the store takes nothing in")
			return
		}
		j.mustNot(r.values().get("retentionInDays"), []string{"", "0"}, "the logs have no retention")
	}),
	Good: []Example{
		shows("a year", "aws:cloudwatch/logGroup:LogGroup", object{"name": "/acme/flows", "retentionInDays": 365.0}),
		shows("a week, for something chatty", "aws:cloudwatch/logGroup:LogGroup", object{"name": "/acme/debug", "retentionInDays": 7.0}),
	},
	Bad: []Example{
		shows("nothing said", "aws:cloudwatch/logGroup:LogGroup", object{"name": "/acme/flows"}),
		shows("zero, which is for ever", "aws:cloudwatch/logGroup:LogGroup", object{"name": "/acme/flows", "retentionInDays": 0.0}),
	},
}

// The trail's bucket is FH414's concern.
var wholeTrail = Rule{
	ID:       "FH709",
	Title:    "The account's trail is whole",
	Why:      "what a trail leaves out, a Region, the reads, a service or the proof that no file was changed, is where one hides",
	Fix:      "log all Regions, global services and management events, with file validation, and never stop",
	Severity: Medium,
	Criteria: []string{"CC7.2", "CC7.3"},
	Types:    []string{"aws:cloudtrail/trail:Trail"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		in := r.values()
		on := []string{"true"}
		j.must(in.get("enableLogging"), append(on, ""), "the trail is stopped")
		j.must(in.get("includeGlobalServiceEvents"), append(on, ""), "IAM and STS are left out")
		j.must(in.get("isMultiRegionTrail"), on, "other Regions are left out")
		j.must(in.get("enableLogFileValidation"), on, "nobody could notice that a file was changed")
		for _, selector := range in.all("eventSelectors") {
			j.must(selector.get("includeManagementEvents"), append(on, ""), "management events are left out")
			j.must(selector.get("readWriteType"), []string{"", "All"}, "reads or writes are left out")
			if left := selector.get("excludeManagementEventSources"); j.known(left) && len(left.each()) > 0 {
				j.violate(left.path, "events of some services are left out")
			}
		}
		j.advancedSelectors(in.get("advancedEventSelectors"))
	}),
	Good: []Example{
		shows("a whole trail", "aws:cloudtrail/trail:Trail", object{"isMultiRegionTrail": true, "enableLogFileValidation": true}),
		shows("data events beside", "aws:cloudtrail/trail:Trail", object{
			"isMultiRegionTrail": true, "enableLogFileValidation": true,
			"advancedEventSelectors": list{
				object{"fieldSelectors": list{object{"field": "eventCategory", "equals": list{"Management"}}}},
				object{"fieldSelectors": list{object{"field": "eventCategory", "equals": list{"Data"}}, object{"field": "resources.type", "equals": list{"AWS::S3::Object"}}}},
			},
		}),
	},
	Bad: []Example{
		shows("stopped, to save", "aws:cloudtrail/trail:Trail", object{"isMultiRegionTrail": true, "enableLogFileValidation": true, "enableLogging": false}),
		shows("one Region", "aws:cloudtrail/trail:Trail", object{"enableLogFileValidation": true}),
		shows("writes only", "aws:cloudtrail/trail:Trail", object{
			"isMultiRegionTrail": true, "enableLogFileValidation": true, "eventSelectors": list{object{"readWriteType": "WriteOnly"}},
		}),
		shows("data events instead", "aws:cloudtrail/trail:Trail", object{
			"isMultiRegionTrail": true, "enableLogFileValidation": true,
			"advancedEventSelectors": list{object{"fieldSelectors": list{object{"field": "eventCategory", "equals": list{"Data"}}}}},
		}),
	},
}

// advancedSelectors violates where there are some and none takes every
// management event: one more field makes it fewer.
func (j *judge) advancedSelectors(selectors value) {
	if !j.known(selectors) || len(selectors.each()) == 0 {
		return
	}
	for _, selector := range selectors.each() {
		fields := selector.get("fieldSelectors").each()
		if len(fields) != 1 {
			continue
		}
		equals := fields[0].all("equals")
		if fields[0].get("field").is("eventCategory") && len(equals) == 1 && equals[0].is("Management") {
			return
		}
	}
	j.violate(selectors.path, "no selector takes all management events")
}

const typeVPC = "aws:ec2/vpc:Vpc"

var flowLogs = Rule{
	ID:       "FH710",
	Title:    "Every VPC logs all of its flows",
	Why:      "who was reached from where is only known when it was written down",
	Fix:      "make a flow log of the VPC with trafficType ALL",
	Severity: Medium,
	Criteria: []string{"CC7.2"},
	Types:    []string{typeVPC, "aws:ec2/flowLog:FlowLog"},
	CheckStack: onStack([]string{typeVPC, "aws:ec2/flowLog:FlowLog"}, func(j *judge, r Resource, stack []Resource, _ Scope) {
		if r.Type != typeVPC {
			j.must(r.values().get("trafficType"), []string{"ALL"}, "some flows are not logged")
			return
		}
		unknown := false
		for _, log := range stack {
			if of := log.values().get("vpcId"); log.Type == "aws:ec2/flowLog:FlowLog" && of.v != nil {
				yes, known := of.isOf(r)
				if yes {
					return
				}
				unknown = unknown || !known
			}
		}
		if unknown {
			j.undecided("")
			return
		}
		j.violate("", "the VPC has no flow log in this stack")
	}),
	Good: []Example{
		func() Example {
			e := shows("a VPC with its log", typeVPC, object{"cidrBlock": "10.0.0.0/16"}, beside("aws:ec2/flowLog:FlowLog", "fl-1", object{"vpcId": "vpc-1", "trafficType": "ALL"}))
			e.Resource.ID = "vpc-1"
			return e
		}(),
		shows("a log of a subnet beside", "aws:ec2/flowLog:FlowLog", object{"subnetId": "subnet-1", "trafficType": "ALL"}),
	},
	Bad: []Example{
		shows("a VPC without", typeVPC, object{"cidrBlock": "10.0.0.0/16"}),
		shows("only what was refused", "aws:ec2/flowLog:FlowLog", object{"vpcId": "vpc-1", "trafficType": "REJECT"}),
	},
}

var diskDefault = Rule{
	ID:       "FH711",
	Title:    "The account encrypts disks by default",
	Why:      "what somebody makes by hand is otherwise in clear",
	Fix:      "set enabled to true",
	Severity: High,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    []string{"aws:ebs/encryptionByDefault:EncryptionByDefault"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		j.must(r.values().get("enabled"), []string{"", "true"}, "disks are in clear by default")
	}),
	Good: []Example{
		shows("on", "aws:ebs/encryptionByDefault:EncryptionByDefault", object{"enabled": true}),
		shows("nothing said, which is on", "aws:ebs/encryptionByDefault:EncryptionByDefault", object{}),
	},
	Bad: []Example{
		shows("off", "aws:ebs/encryptionByDefault:EncryptionByDefault", object{"enabled": false}),
		shows("off, as text", "aws:ebs/encryptionByDefault:EncryptionByDefault", object{"enabled": "false"}),
	},
}
