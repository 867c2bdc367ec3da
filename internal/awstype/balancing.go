package awstype

// The types of load balancers.
const (
	LoadBalancer        = "aws:lb/loadBalancer:LoadBalancer"
	TargetGroup         = "aws:lb/targetGroup:TargetGroup"
	ClassicLoadBalancer = "aws:elb/loadBalancer:LoadBalancer"
)

var balancingRows = []Row{
	{
		Token:   LoadBalancer,
		Service: "elasticloadbalancing",
		Source:  "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html",
		Kinds:   []string{"elasticloadbalancing/loadbalancer/app", "elasticloadbalancing/loadbalancer/gwy", "elasticloadbalancing/loadbalancer/net"},
		List:    "load balancers", Remove: "load balancer",
		Uses:       []string{TargetGroup, EC2Address, EC2NetworkInterface, EC2SecurityGroup, EC2Subnet, EC2InternetGateway},
		Delete:     []string{"elasticloadbalancing:DeleteLoadBalancer"},
		Look:       []string{"elasticloadbalancing:DescribeLoadBalancers"},
		ByWorkload: true,
		Foreign:    "controllers in a cluster make them for services and ingresses",
	},
	{
		Token:   TargetGroup,
		Service: "elasticloadbalancing",
		Source:  "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html",
		Kinds:   []string{"elasticloadbalancing/targetgroup"},
		List:    "target groups", Remove: "target group",
		Uses:       []string{EC2VPC},
		Delete:     []string{"elasticloadbalancing:DeleteTargetGroup"},
		Look:       []string{"elasticloadbalancing:DescribeTargetGroups"},
		ByWorkload: true,
		Foreign:    "controllers in a cluster make them for services and ingresses",
	},
	{
		Token:   ClassicLoadBalancer,
		Service: "elasticloadbalancing",
		Source:  "https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DeleteLoadBalancer.html",
		List:    Tagged,
		Kinds:   []string{"elasticloadbalancing/loadbalancer"}, ByName: true,
		ByWorkload: true,
		Foreign:    "the controller in Kubernetes itself makes them for services",
	},
}
