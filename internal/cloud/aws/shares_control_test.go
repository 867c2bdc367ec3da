package aws

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
)

// read is what Cloud Control answers about one thing.
func read(typ, properties string) string {
	return `{"TypeName":"` + typ + `","ResourceDescription":{"Identifier":"x","Properties":` + strconv.Quote(properties) + `}}`
}

// listing is how Cloud Control is asked for the list of a type, and about one of it.
func listing(typ string) string { return `ListResources {"TypeName":"` + typ + `"}` }
func asking(typ, id string) string {
	return `GetResource {"Identifier":"` + id + `","TypeName":"` + typ + `"}`
}

// alone is a service that has one thing of a type, with these properties.
func alone(typ, properties string) wire {
	return wire{listing(typ): `{"ResourceDescriptions":[{"Identifier":"x"}]}`, asking(typ, "x"): read(typ, properties)}
}

// controls has, for each type that Cloud Control lists, its properties as the page of
// CloudFormation (Source of its way) has them.
var controls = map[string]struct {
	answers wire
	want    []string
}{
	"AWS::Athena::WorkGroup": {
		alone("AWS::Athena::WorkGroup", `{"Name":"x","State":"ENABLED","WorkGroupConfiguration":{"ResultConfiguration":{"OutputLocation":"s3://r/","ExpectedBucketOwner":"`+theirs+`"}}}`),
		[]string{`Workgroup x {"configuration":{"resultConfiguration":{"expectedBucketOwner":"` + theirs + `"}}}`},
	},
	"AWS::Bedrock::DataSource": {wire{
		listing("AWS::Bedrock::KnowledgeBase"):       `{"ResourceDescriptions":[{"Identifier":"KB1"}]}`,
		asking("AWS::Bedrock::KnowledgeBase", "KB1"): read("AWS::Bedrock::KnowledgeBase", `{"KnowledgeBaseId":"KB1","Name":"k"}`),
		`ListResources {"ResourceModel":"{\"KnowledgeBaseId\":\"KB1\"}","TypeName":"AWS::Bedrock::DataSource"}`: `{"ResourceDescriptions":[{"Identifier":"KB1|DS1"}]}`,
		asking("AWS::Bedrock::DataSource", "KB1|DS1"):                                                           read("AWS::Bedrock::DataSource", `{"KnowledgeBaseId":"KB1","DataSourceConfiguration":{"Type":"S3","S3Configuration":{"BucketArn":"arn:aws:s3:::theirs","BucketOwnerAccountId":"`+theirs+`"}}}`),
	}, []string{`AgentDataSource KB1|DS1 {"dataSourceConfiguration":{"s3Configuration":{"bucketArn":"arn:aws:s3:::theirs","bucketOwnerAccountId":"` + theirs + `"}}}`}},
	"AWS::Backup::ReportPlan": {
		alone("AWS::Backup::ReportPlan", `{"ReportPlanName":"x","ReportDeliveryChannel":{"S3BucketName":"b"},"ReportSetting":{"ReportTemplate":"t","Accounts":["`+own+`","`+theirs+`"],"OrganizationUnits":["ou-1"]}}`),
		[]string{`ReportPlan x {"reportDeliveryChannel":{"s3BucketName":"b"},"reportSetting":{"accounts":["` + own + `","` + theirs + `"],"organizationUnits":["ou-1"]}}`},
	},
	"AWS::Config::ConfigurationAggregator": {
		alone("AWS::Config::ConfigurationAggregator", `{"ConfigurationAggregatorName":"x","AccountAggregationSources":[{"AccountIds":["`+theirs+`"],"AllAwsRegions":true}],"OrganizationAggregationSource":{"RoleArn":"arn:r"}}`),
		[]string{`ConfigurationAggregator x {"accountAggregationSource":[{"accountIds":["` + theirs + `"]}],"organizationAggregationSource":{"roleArn":"arn:r"}}`},
	},
	"AWS::CloudTrail::EventDataStore": {
		alone("AWS::CloudTrail::EventDataStore", `{"Name":"all","OrganizationEnabled":true}`), []string{`EventDataStore x {"organizationEnabled":true}`},
	},
	"AWS::DMS::Endpoint": {
		alone("AWS::DMS::Endpoint", `{"EndpointType":"target","EngineName":"s3","Username":"u","S3Settings":{"BucketName":"theirs","ExpectedBucketOwner":"`+theirs+`"}}`),
		[]string{`S3Endpoint x {"bucketName":"theirs","expectedBucketOwner":"` + theirs + `"}`},
	},
	"AWS::ECR::RepositoryCreationTemplate": {
		alone("AWS::ECR::RepositoryCreationTemplate", `{"Prefix":"x","RepositoryPolicy":"`+strings.ReplaceAll(policy, `"`, `\"`)+`"}`), []string{`RepositoryCreationTemplate x {"repositoryPolicy":"` + policy + `"}`},
	},
	"AWS::Grafana::Workspace": {
		alone("AWS::Grafana::Workspace", `{"Id":"x","AccountAccessType":"ORGANIZATION","OrganizationalUnits":["ou-1"],"Name":"n"}`),
		[]string{`Workspace x {"accountAccessType":"ORGANIZATION","organizationalUnits":["ou-1"]}`},
	},
	"AWS::S3::StorageLens": {
		alone("AWS::S3::StorageLens", `{"StorageLensConfiguration":{"Id":"x","AwsOrg":{"Arn":"arn:o"},"DataExport":{"S3BucketDestination":{"AccountId":"`+theirs+`","Arn":"arn:b","Format":"CSV"}}}}`),
		[]string{`StorageLensConfiguration x {"storageLensConfiguration":{"awsOrg":{"arn":"arn:o"},"dataExport":{"s3BucketDestination":{"accountId":"` + theirs + `","arn":"arn:b"}}}}`},
	},
	"AWS::SageMaker::Domain": {
		alone("AWS::SageMaker::Domain", `{"DomainId":"x","DomainSettings":{"DockerSettings":{"VpcOnlyTrustedAccounts":["`+theirs+`"]}}}`),
		[]string{`Domain x {"domainSettings":{"dockerSettings":{"vpcOnlyTrustedAccounts":["` + theirs + `"]}}}`},
	},
	"AWS::SageMaker::ModelPackageGroup": {
		alone("AWS::SageMaker::ModelPackageGroup", `{"ModelPackageGroupName":"x","ModelPackageGroupPolicy":{"Statement":[{"Effect":"Allow"}],"Version":"2012-10-17"}}`),
		[]string{`ModelPackageGroupPolicy x {"resourcePolicy":"{"Statement":[{"Effect":"Allow"}],"Version":"2012-10-17"}"}`},
	},
	"AWS::Signer::ProfilePermission": {wire{
		listing("AWS::Signer::SigningProfile"):                                                                  `{"ResourceDescriptions":[{"Identifier":"arn:p"}]}`,
		asking("AWS::Signer::SigningProfile", "arn:p"):                                                          read("AWS::Signer::SigningProfile", `{"ProfileName":"p"}`),
		`ListResources {"ResourceModel":"{\"ProfileName\":\"p\"}","TypeName":"AWS::Signer::ProfilePermission"}`: `{"ResourceDescriptions":[{"Identifier":"s|p"}]}`,
		asking("AWS::Signer::ProfilePermission", "s|p"):                                                         read("AWS::Signer::ProfilePermission", `{"ProfileName":"p","StatementId":"s","Principal":"`+theirs+`","Action":"signer:StartSigningJob"}`),
	}, []string{`SigningProfilePermission s|p {"principal":"` + theirs + `"}`}},
}

func TestWhatCloudControlAnswersIsReadUnderTheNamesOfTheSDK(t *testing.T) {
	for _, list := range awstype.SharingLists() {
		w, is := awstype.ControlOf(list)
		if !is {
			continue
		}
		t.Run(list, func(t *testing.T) {
			tt, known := controls[list]
			if !known {
				t.Fatal("no answer of it is decoded")
			}
			s, _ := tt.answers.session(t)
			items, err := s.shared(t.Context(), list)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, it := range items {
				if it.Type != w.Types[0] {
					t.Errorf("it shows a %s, want a %s", it.Type, w.Types[0])
				}
				got = append(got, it.Type[strings.LastIndex(it.Type, ":")+1:]+" "+it.ID+" "+strings.ReplaceAll(text(t, it), `\`, ""))
			}
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCloudControlIsAskedForEveryPage(t *testing.T) {
	const typ = "AWS::Athena::WorkGroup"
	w := wire{
		listing(typ): `{"ResourceDescriptions":[{"Identifier":"a"}],"NextToken":"2"}`,
		`ListResources {"NextToken":"2","TypeName":"` + typ + `"}`: `{"ResourceDescriptions":[{"Identifier":"gone"},{"Identifier":"b"}]}`,
		asking(typ, "gone"): "400 ResourceNotFoundException it was there a moment ago",
	}
	for _, id := range []string{"a", "b"} {
		w[asking(typ, id)] = read(typ, `{"WorkGroupConfiguration":{"ResultConfiguration":{"ExpectedBucketOwner":"`+theirs+`"}}}`)
	}
	s, _ := w.session(t)
	items, err := s.shared(t.Context(), typ)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, it := range items {
		ids = append(ids, it.ID)
	}
	if !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("listed %v", ids)
	}
}

// Cannot tell is not no: whatever Cloud Control answers but a list, the list was not
// read, and the error says why.
func TestWhatCloudControlCannotSayIsNotNothing(t *testing.T) {
	const typ = "AWS::Grafana::Workspace"
	for _, tt := range []struct{ name, list, thing, says string }{
		{"a type that the region does not have", "404 TypeNotFoundException The type 'AWS::Grafana::Workspace' cannot be found.", "", "does not have AWS::Grafana::Workspace in this region"},
		{"a type that cannot be listed there", "405 UnsupportedActionException Resource type does not support LIST action", "", "cannot list AWS::Grafana::Workspace in this region"},
		{"a role that may not use Cloud Control", "400 AccessDeniedException User: x is not authorized to perform: cloudformation:ListResources", "", "the role may not read AWS::Grafana::Workspace"},
		{"a role that may not ask the service", "400 GeneralServiceException AWS::Grafana::Workspace Handler returned status FAILED: User is not authorized to perform: grafana:ListWorkspaces (HandlerErrorCode: AccessDenied)", "", "the role may not read AWS::Grafana::Workspace"},
		{"a service that fails", "502 HandlerInternalFailureException it broke", "", "HandlerInternalFailureException"},
		{"calls that are throttled to the end", "429 ThrottlingException Rate exceeded", "", "ThrottlingException"},
		{"a role that may list and not read", "", "400 GeneralServiceException not authorized to perform: grafana:DescribeWorkspace", "the role may not read AWS::Grafana::Workspace"},
		{"properties that are no JSON", "", read(typ, `{`), "the properties that Cloud Control gives"},
		{"an answer without the switch", "", read(typ, `{"Id":"x"}`), "it does not say AccountAccessType"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := alone(typ, `{"AccountAccessType":"CURRENT_ACCOUNT"}`)
			if tt.list != "" {
				w[listing(typ)] = tt.list
			}
			if tt.thing != "" {
				w[asking(typ, "x")] = tt.thing
			}
			s, _ := w.session(t)
			items, err := s.shared(t.Context(), typ)
			if err == nil || !strings.Contains(err.Error(), tt.says) || len(items) > 0 {
				t.Errorf("%v, %v, want an error that says %q", items, err, tt.says)
			}
		})
	}
}
