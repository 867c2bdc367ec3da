package encryption

import (
	"slices"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

var secretsEncrypted = rule.Rule{
	ID:       "FH706",
	Title:    "Kubernetes secrets are encrypted with the org's own key",
	Why:      "a copy of etcd would show every secret of every project",
	Fix:      "set encryptionConfig with resources [secrets] and the org's data key",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    []string{rule.TypeCluster},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		config := r.Values().Get("encryptionConfig")
		j.OwnKey(config.Get("provider", "keyArn"), s)
		resources := config.Get("resources")
		if !j.Known(resources) || slices.ContainsFunc(resources.Each(), func(v rule.Value) bool { return v.Is("secrets") }) {
			return
		}
		for _, v := range resources.Each() {
			if v.Unknown() {
				j.Undecided(v.Path)
				return
			}
		}
		j.Violate(resources.Path, "secrets are not among what is encrypted")
	}),
	Good: []rule.Example{
		example.Shows("the org's key", rule.TypeCluster, object{"encryptionConfig": object{"provider": object{"keyArn": example.KeyARN}, "resources": list{"secrets"}}}),
		example.Shows("the org's key, in a list of blocks", rule.TypeCluster, object{"encryptionConfig": list{object{"provider": object{"keyArn": example.KeyARN}, "resources": list{"secrets"}}}}),
	},
	Bad: []rule.Example{
		example.Shows("nothing said", rule.TypeCluster, object{"name": "acme"}),
		example.Shows("another customer's key", rule.TypeCluster, object{"encryptionConfig": object{"provider": object{"keyArn": example.OtherKeyARN}, "resources": list{"secrets"}}}),
		example.Shows("a key for nothing", rule.TypeCluster, object{"encryptionConfig": object{"provider": object{"keyArn": example.KeyARN}, "resources": list{}}}),
	},
}

// planeLogs are all that EKS's control plane writes.
// https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
var planeLogs = []string{"api", "audit", "authenticator", "controllerManager", "scheduler"}

var controlPlaneLogs = rule.Rule{
	ID:       "FH707",
	Title:    "The cluster's control plane keeps every log",
	Why:      "without the audit and authenticator logs nobody can say who did what, from where, and as whom",
	Fix:      "set enabledClusterLogTypes to api, audit, authenticator, controllerManager and scheduler",
	Severity: rule.Medium,
	Criteria: []string{"CC7.2", "CC7.3"},
	Types:    []string{rule.TypeCluster},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		on := r.Values().Get("enabledClusterLogTypes")
		if !j.Known(on) {
			return
		}
		unknown := false
		for _, v := range on.Each() {
			unknown = unknown || v.Unknown()
		}
		for _, log := range planeLogs {
			switch {
			case slices.ContainsFunc(on.Each(), func(v rule.Value) bool { return v.Is(log) }):
			case unknown:
				j.Undecided(on.Path)
			default:
				j.Violate(on.Path, "the %s log is off", log)
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("all five", rule.TypeCluster, object{"enabledClusterLogTypes": list{"api", "audit", "authenticator", "controllerManager", "scheduler"}}),
		example.Shows("all five in another order", rule.TypeCluster, object{"enabledClusterLogTypes": list{"scheduler", "audit", "api", "controllerManager", "authenticator"}}),
	},
	Bad: []rule.Example{
		example.Shows("the cheap ones", rule.TypeCluster, object{"enabledClusterLogTypes": list{"api", "audit"}}),
		example.Shows("none", rule.TypeCluster, object{"enabledClusterLogTypes": list{}}),
	},
}

var logRetention = rule.Rule{
	ID:       "FH708",
	Title:    "Log groups keep their logs for a stated time",
	Why:      "without a retention period logs are kept forever, although a shorter time may be required",
	Fix:      "set retentionInDays",
	Severity: rule.Medium,
	Criteria: []string{"CC7.2"},
	Types:    []string{"aws:cloudwatch/logGroup:LogGroup", "aws:cloudtrail/eventDataStore:EventDataStore"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		if r.Type == "aws:cloudtrail/eventDataStore:EventDataStore" {
			j.MustNot(r.Values().Get("suspend"), []string{"true"}, "the store takes nothing in")
			return
		}
		j.MustNot(r.Values().Get("retentionInDays"), []string{"", "0"}, "the logs have no retention")
	}),
	Good: []rule.Example{
		example.Shows("a year", "aws:cloudwatch/logGroup:LogGroup", object{"name": "/acme/flows", "retentionInDays": 365.0}),
		example.Shows("a week, for something chatty", "aws:cloudwatch/logGroup:LogGroup", object{"name": "/acme/debug", "retentionInDays": 7.0}),
	},
	Bad: []rule.Example{
		example.Shows("nothing said", "aws:cloudwatch/logGroup:LogGroup", object{"name": "/acme/flows"}),
		example.Shows("zero, which is for ever", "aws:cloudwatch/logGroup:LogGroup", object{"name": "/acme/flows", "retentionInDays": 0.0}),
	},
}

// The trail's bucket is FH414's concern.
var wholeTrail = rule.Rule{
	ID:       "FH709",
	Title:    "The account's trail is whole",
	Why:      "what a trail leaves out, a Region, the reads, a service or the proof that no file was changed, is where one hides",
	Fix:      "log all Regions, global services and management events, with file validation, and never stop",
	Severity: rule.Medium,
	Criteria: []string{"CC7.2", "CC7.3"},
	Types:    []string{"aws:cloudtrail/trail:Trail"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		in := r.Values()
		on := []string{"true"}
		j.Must(in.Get("enableLogging"), append(on, ""), "the trail is stopped")
		j.Must(in.Get("includeGlobalServiceEvents"), append(on, ""), "IAM and STS are left out")
		j.Must(in.Get("isMultiRegionTrail"), on, "other Regions are left out")
		j.Must(in.Get("enableLogFileValidation"), on, "nobody could notice that a file was changed")
		for _, selector := range in.All("eventSelectors") {
			j.Must(selector.Get("includeManagementEvents"), append(on, ""), "management events are left out")
			j.Must(selector.Get("readWriteType"), []string{"", "All"}, "reads or writes are left out")
			if left := selector.Get("excludeManagementEventSources"); j.Known(left) && len(left.Each()) > 0 {
				j.Violate(left.Path, "events of some services are left out")
			}
		}
		advancedSelectors(j, in.Get("advancedEventSelectors"))
	}),
	Good: []rule.Example{
		example.Shows("a whole trail", "aws:cloudtrail/trail:Trail", object{"isMultiRegionTrail": true, "enableLogFileValidation": true}),
		example.Shows("data events beside", "aws:cloudtrail/trail:Trail", object{
			"isMultiRegionTrail": true, "enableLogFileValidation": true,
			"advancedEventSelectors": list{
				object{"fieldSelectors": list{object{"field": "eventCategory", "equals": list{"Management"}}}},
				object{"fieldSelectors": list{object{"field": "eventCategory", "equals": list{"Data"}}, object{"field": "resources.type", "equals": list{"AWS::S3::Object"}}}},
			},
		}),
	},
	Bad: []rule.Example{
		example.Shows("stopped, to save", "aws:cloudtrail/trail:Trail", object{"isMultiRegionTrail": true, "enableLogFileValidation": true, "enableLogging": false}),
		example.Shows("one Region", "aws:cloudtrail/trail:Trail", object{"enableLogFileValidation": true}),
		example.Shows("writes only", "aws:cloudtrail/trail:Trail", object{
			"isMultiRegionTrail": true, "enableLogFileValidation": true, "eventSelectors": list{object{"readWriteType": "WriteOnly"}},
		}),
		example.Shows("data events instead", "aws:cloudtrail/trail:Trail", object{
			"isMultiRegionTrail": true, "enableLogFileValidation": true,
			"advancedEventSelectors": list{object{"fieldSelectors": list{object{"field": "eventCategory", "equals": list{"Data"}}}}},
		}),
	},
}

// advancedSelectors violates where there are some and none takes every
// management event: one more field makes it fewer.
func advancedSelectors(j *rule.Judge, selectors rule.Value) {
	if !j.Known(selectors) || len(selectors.Each()) == 0 {
		return
	}
	for _, selector := range selectors.Each() {
		fields := selector.Get("fieldSelectors").Each()
		if len(fields) != 1 {
			continue
		}
		equals := fields[0].All("equals")
		if fields[0].Get("field").Is("eventCategory") && len(equals) == 1 && equals[0].Is("Management") {
			return
		}
	}
	j.Violate(selectors.Path, "no selector takes all management events")
}

const typeVPC = "aws:ec2/vpc:Vpc"

var flowLogs = rule.Rule{
	ID:       "FH710",
	Title:    "Every VPC logs all of its flows",
	Why:      "who was reached from where is only known when it was written down",
	Fix:      "make a flow log of the VPC with trafficType ALL",
	Severity: rule.Medium,
	Criteria: []string{"CC7.2"},
	Types:    []string{typeVPC, "aws:ec2/flowLog:FlowLog"},
	CheckStack: rule.OnStack([]string{typeVPC, "aws:ec2/flowLog:FlowLog"}, func(j *rule.Judge, r rule.Resource, stack []rule.Resource, _ rule.Scope) {
		if r.Type != typeVPC {
			j.Must(r.Values().Get("trafficType"), []string{"ALL"}, "some flows are not logged")
			return
		}
		unknown := false
		for _, log := range stack {
			if of := log.Values().Get("vpcId"); log.Type == "aws:ec2/flowLog:FlowLog" && of.Raw != nil {
				yes, known := of.IsOf(r)
				if yes {
					return
				}
				unknown = unknown || !known
			}
		}
		if unknown {
			j.Undecided("")
			return
		}
		j.Violate("", "the VPC has no flow log in this stack")
	}),
	Good: []rule.Example{
		func() rule.Example {
			e := example.Shows("a VPC with its log", typeVPC, object{"cidrBlock": "10.0.0.0/16"}, example.Beside("aws:ec2/flowLog:FlowLog", "fl-1", object{"vpcId": "vpc-1", "trafficType": "ALL"}))
			e.Resource.ID = "vpc-1"
			return e
		}(),
		example.Shows("a log of a subnet beside", "aws:ec2/flowLog:FlowLog", object{"subnetId": "subnet-1", "trafficType": "ALL"}),
	},
	Bad: []rule.Example{
		example.Shows("a VPC without", typeVPC, object{"cidrBlock": "10.0.0.0/16"}),
		example.Shows("only what was refused", "aws:ec2/flowLog:FlowLog", object{"vpcId": "vpc-1", "trafficType": "REJECT"}),
	},
}

var diskDefault = rule.Rule{
	ID:       "FH711",
	Title:    "The account encrypts disks by default",
	Why:      "what somebody makes by hand is otherwise in clear",
	Fix:      "set enabled to true",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.7"},
	Types:    []string{"aws:ebs/encryptionByDefault:EncryptionByDefault"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		j.Must(r.Values().Get("enabled"), []string{"", "true"}, "disks are in clear by default")
	}),
	Good: []rule.Example{
		example.Shows("on", "aws:ebs/encryptionByDefault:EncryptionByDefault", object{"enabled": true}),
		example.Shows("nothing said, which is on", "aws:ebs/encryptionByDefault:EncryptionByDefault", object{}),
	},
	Bad: []rule.Example{
		example.Shows("off", "aws:ebs/encryptionByDefault:EncryptionByDefault", object{"enabled": false}),
		example.Shows("off, as text", "aws:ebs/encryptionByDefault:EncryptionByDefault", object{"enabled": "false"}),
	},
}
