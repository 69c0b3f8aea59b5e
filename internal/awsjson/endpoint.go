package awsjson

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// What a source of the configuration may say about endpoints, as the SDK's clients ask for it.
type (
	endpoints interface {
		GetServiceBaseEndpoint(ctx context.Context, sdkID string) (string, bool, error)
	}
	ignoring interface {
		GetIgnoreConfiguredEndpoints(ctx context.Context) (bool, bool, error)
	}
	fips interface {
		GetUseFIPSEndpoint(ctx context.Context) (aws.FIPSEndpointState, bool, error)
	}
	dualStack interface {
		GetUseDualStackEndpoint(ctx context.Context) (aws.DualStackEndpointState, bool, error)
	}
)

// configured returns the service's endpoint: the one of its own, the one for all services, or AWS's.
func (c *Client) configured(ctx context.Context) (string, error) {
	ignored, useFIPS, useDualStack := false, false, false
	for _, source := range c.cfg.ConfigSources {
		if s, ok := source.(ignoring); ok {
			ignored, _, _ = s.GetIgnoreConfiguredEndpoints(ctx)
		}
		if s, ok := source.(fips); ok {
			state, _, _ := s.GetUseFIPSEndpoint(ctx)
			useFIPS = useFIPS || state == aws.FIPSEndpointStateEnabled
		}
		if s, ok := source.(dualStack); ok {
			state, _, _ := s.GetUseDualStackEndpoint(ctx)
			useDualStack = useDualStack || state == aws.DualStackEndpointStateEnabled
		}
	}
	for _, source := range c.cfg.ConfigSources {
		s, ok := source.(endpoints)
		if !ok || ignored {
			continue
		}
		if address, found, err := s.GetServiceBaseEndpoint(ctx, c.service.ID); err != nil || found {
			return address, err
		}
	}
	if c.cfg.BaseEndpoint != nil {
		return *c.cfg.BaseEndpoint, nil
	}
	return "https://" + host(c.service.Name, c.cfg.Region, useFIPS, useDualStack), nil
}

// partitions are the domains of AWS's partitions, by the beginning of their Regions' names; the last is for all others.
// Source: the SDKs' partitions.json.
var partitions = []struct{ region, domain, dualStack string }{
	{"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
	{"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
	{"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
	{"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
	{"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
	{"", "amazonaws.com", "api.aws"},
}

// host returns the name of a service's host in a Region.
func host(service, region string, useFIPS, useDualStack bool) string {
	if useFIPS && (useDualStack || !strings.HasPrefix(region, "us-gov-")) { // there the usual host is FIPS's, too
		service += "-fips"
	}
	for _, p := range partitions {
		if strings.HasPrefix(region, p.region) {
			domain := p.domain
			if useDualStack {
				domain = p.dualStack
			}
			return fmt.Sprintf("%s.%s.%s", service, region, domain)
		}
	}
	panic("the last partition is for all Regions")
}
