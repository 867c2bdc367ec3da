package awstype

// The types of machines, of what they are made from and what they hold.
const (
	EC2Instance         = "aws:ec2/instance:Instance"
	EC2LaunchTemplate   = "aws:ec2/launchTemplate:LaunchTemplate"
	EC2Image            = "aws:ec2/ami:Ami"
	EBSSnapshot         = "aws:ebs/snapshot:Snapshot"
	EBSVolume           = "aws:ebs/volume:Volume"
	EC2KeyPair          = "aws:ec2/keyPair:KeyPair"
	EC2NetworkInterface = "aws:ec2/networkInterface:NetworkInterface"
)

var computeRows = []Row{
	{
		Token:   EC2Instance,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html",
		Kinds:   []string{"ec2/instance"},
		List:    "instances", Remove: "instance",
		Uses:    []string{EBSVolume, EC2NetworkInterface, EC2Address, EC2SecurityGroup, EC2Subnet, IAMInstanceProfile},
		Delete:  []string{"ec2:TerminateInstances"},
		Look:    []string{"ec2:DescribeInstances"},
		Foreign: "somebody's machine holds the disks, groups and subnets that it uses",
	},
	{
		Token:   EC2LaunchTemplate,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html",
		Kinds:   []string{"ec2/launch-template"},
		By:      []string{"name"},
		Find:    "launch template", List: "launch templates", Remove: "launch template",
		Make:   []string{"ec2:CreateLaunchTemplate", "ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate", createTags, deleteTags},
		Read:   []string{"ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"},
		Delete: []string{"ec2:DeleteLaunchTemplate"},
		Look:   []string{"ec2:DescribeLaunchTemplates"},
	},
	{
		Token:   EC2Image,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html",
		Kinds:   []string{"ec2/image"},
		List:    "images", Remove: "image",
		Uses:    []string{EBSSnapshot},
		Delete:  []string{"ec2:DeregisterImage"},
		Look:    []string{"ec2:DescribeImages"},
		Foreign: "somebody's image holds its snapshots",
	},
	{
		Token:   EBSSnapshot,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html",
		Kinds:   []string{"ec2/snapshot"},
		List:    "snapshots", Remove: "snapshot",
		Uses:       []string{KMSKey},
		Delete:     []string{"ec2:DeleteSnapshot"},
		Look:       []string{"ec2:DescribeSnapshots"},
		ByWorkload: true,
		Foreign:    "the EBS driver makes them for snapshots of volume claims",
	},
	{
		Token:   EBSVolume,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVolume.html",
		Kinds:   []string{"ec2/volume"},
		List:    "volumes", Remove: "volume",
		Uses:       []string{KMSKey},
		Delete:     []string{"ec2:DeleteVolume"},
		Look:       []string{"ec2:DescribeVolumes"},
		ByWorkload: true,
		Foreign:    "the EBS driver makes them for volume claims",
	},
	{
		Token:   EC2KeyPair,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteKeyPair.html",
		Kinds:   []string{"ec2/key-pair"},
		List:    "key pairs", Remove: "key pair",
		Delete:  []string{"ec2:DeleteKeyPair"},
		Look:    []string{"ec2:DescribeKeyPairs"},
		Foreign: "somebody's key opens machines",
	},
	{
		Token:   EC2NetworkInterface,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html",
		Kinds:   []string{"ec2/network-interface"},
		By:      []string{Tags},
		Find:    "network interface", List: "network interfaces", Remove: "network interface",
		Uses:    []string{EC2SecurityGroup, EC2Subnet},
		Read:    []string{"ec2:DescribeNetworkInterfaces"},
		Delete:  []string{"ec2:DeleteNetworkInterface"},
		Look:    []string{"ec2:DescribeNetworkInterfaces"},
		Foreign: "somebody's interface holds the subnet and the groups that it is in",
	},
}
