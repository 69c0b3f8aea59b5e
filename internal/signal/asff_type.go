package signal

import "strings"

// asffType returns GuardDuty's own type. ASFF puts a category before it and, as a rule, a hyphen in place of the slash:
//
//	TTPs/Discovery/Recon:IAMUser-TorIPCaller                      Recon:IAMUser/TorIPCaller
//	TTPs/PenTest:IAMUser/KaliLinux                                PenTest:IAMUser/KaliLinux
//	TTPs/Initial Access/IAMUser-AnomalousBehavior                 InitialAccess:IAMUser/AnomalousBehavior
//	TTPs/AnomalousBehavior/Execution:Kubernetes-ExecInPod         Execution:Kubernetes/AnomalousBehavior.ExecInPod
//	TTPs/DefenseEvasion/EC2:Unusual-DNS-Resolver                  DefenseEvasion:EC2/UnusualDNSResolver
//
// Source: AWS Security Hub user guide, "Integration with GuardDuty", the table of finding types.
func asffType(types []requiredString) string {
	if len(types) == 0 || types[0] == "" {
		return "unknown"
	}
	parts := strings.Split(strings.TrimSpace(string(types[0])), "/")
	i := indexOfColon(parts)
	if i < 0 {
		return typeWithoutPurpose(parts)
	}
	category := ""
	if i > 0 {
		category = strings.ReplaceAll(parts[i-1], " ", "")
	}
	purpose, rest, _ := strings.Cut(strings.Join(parts[i:], "/"), ":")
	if purpose == "EC2" {
		return category + ":EC2/" + strings.ReplaceAll(rest, "-", "")
	}
	if !strings.Contains(rest, "/") {
		rest = strings.Replace(rest, "-", "/", 1)
	}
	if resource, technique, ok := strings.Cut(rest, "/"); ok && category == "AnomalousBehavior" {
		rest = resource + "/AnomalousBehavior." + technique
	}
	return purpose + ":" + rest
}

// typeWithoutPurpose returns the type where the category is its purpose, or the last part as it is.
func typeWithoutPurpose(parts []string) string {
	last := parts[len(parts)-1]
	if len(parts) < 3 {
		return last
	}
	return strings.ReplaceAll(parts[1], " ", "") + ":" + strings.Replace(last, "-", "/", 1)
}

func indexOfColon(parts []string) int {
	for i, part := range parts {
		if strings.Contains(part, ":") {
			return i
		}
	}
	return -1
}
