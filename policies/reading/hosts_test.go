package reading

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBucketsOfAText(t *testing.T) {
	for _, tc := range []struct {
		text string
		want string
	}{
		{"arn:aws:s3:::globex", "globex"},
		{"arn:aws-cn:s3:::globex/x/*", "globex"},
		{"arn:*:s3:*:*:globex/*", "globex"},
		{"arn:aws:s?:::globex", "globex"},
		{"arn:aws:*:::globex", "globex"},
		{"arn:aws:s3:::glo?ex", "glo?ex"},
		{"arn:aws:s3:eu-central-1:333333333333:accesspoint/x", ""},
		{"arn:aws:s3:*:*:accesspoint/x", ""},
		{"arn:aws:sqs:::globex", ""},
		{"s3://globex", "globex"},
		{"S3A://globex/x", "globex"},
		{"aws s3 sync 's3n://globex' /data", "globex"},
		{"https://globex.s3.amazonaws.com/x", "globex"},
		{"https://GLOBEX.S3.EU-CENTRAL-1.AMAZONAWS.COM", "globex"},
		{"globex.data.s3-eu-west-1.amazonaws.com", "globex.data"},
		{"globex.s3.dualstack.eu-central-1.amazonaws.com", "globex"},
		{"globex.s3-fips.dualstack.us-east-1.amazonaws.com:443/x", "globex"},
		{"globex.s3-accelerate.amazonaws.com", "globex"},
		{"globex.s3-accelerate.dualstack.amazonaws.com.", "globex"},
		{"globex.s3-website-us-east-1.amazonaws.com", "globex"},
		{"globex.s3-website.eu-central-1.amazonaws.com", "globex"},
		{"globex.s3.cn-north-1.amazonaws.com.cn", "globex"},
		{"globex.s3.eu-central-1.api.aws", "globex"},
		{"globex.s3.$REGION.amazonaws.com", "globex"},
		{"globex--euc1-az1--x-s3.s3express-euc1-az1.eu-central-1.amazonaws.com", "globex--euc1-az1--x-s3"},
		{"https://s3.amazonaws.com/globex/x", "globex"},
		{"https://s3-eu-west-1.amazonaws.com:443/globex", "globex"},
		{"https://s3.dualstack.eu-central-1.amazonaws.com/globex?x=1", "globex"},
		{"https://bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com/globex", "globex"},
		{"https://globex.bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", "globex"},
		{"https://333333333333.s3-control.eu-central-1.amazonaws.com", ""},
		{"ap-333333333333.s3-accesspoint.eu-central-1.amazonaws.com", ""},
		{"m1x2.mrap.accesspoint.s3-global.amazonaws.com", "m1x2.mrap.accesspoint"},
		{"https://s3.eu-central-1.amazonaws.com", ""},
		{"https://sqs.eu-central-1.amazonaws.com/333333333333/s3", ""},
		{"the s3 of the docs, aws.amazon.com/s3/", ""},
	} {
		if d := cmp.Diff(tc.want, strings.Join(BucketsIn(tc.text, false), " ")); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.text, d)
		}
	}
}

func TestClustersOfAText(t *testing.T) {
	const id = "FEDCBA9876543210FEDCBA9876543210"
	for _, tc := range []struct{ text, want string }{
		{"https://oidc.eks.eu-central-1.amazonaws.com/id/" + id, id},
		{"https://OIDC.EKS.eu-central-1.amazonaws.com/id/" + strings.ToLower(id), id},
		{"https://oidc-eks.eu-central-1.api.aws/id/" + id, id},
		{"oidc.eks.cn-north-1.amazonaws.com.cn/id/" + id + ":sub", id},
		{"https://" + id + ".gr7.eu-central-1.eks.amazonaws.com", id},
		{"https://" + strings.ToLower(id) + ".gr7.eu-central-1.eks.amazonaws.com:443/api", id},
		{"https://" + id + ".gr7.eks-cluster.eu-central-1.api.aws", id},
		{"https://eks.eu-central-1.amazonaws.com/clusters/x", ""},
		{"https://" + id + ".example.com/eks", ""},
	} {
		if d := cmp.Diff(tc.want, strings.Join(IssuersIn(tc.text), " ")); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.text, d)
		}
	}
}
