package graph

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"clientvpn-responder/internal/awsjson"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// audience is whom the token of AWS is for.
// Source: Microsoft Entra documentation, "Workload identity federation".
const audience = "api://AzureADTokenExchange"

// federated proves with a token that STS signs for the function's role. There is no secret.
type federated struct{ client *sts.Client }

// Federated returns the credential of an application that trusts the AWS account's tokens.
// Source: AWS STS API reference, GetWebIdentityToken.
func Federated(cfg aws.Config) Credential { return federated{sts.NewFromConfig(cfg)} }

func (f federated) Form(ctx context.Context) (url.Values, error) {
	output, err := f.client.GetWebIdentityToken(ctx, &sts.GetWebIdentityTokenInput{
		Audience: []string{audience}, SigningAlgorithm: aws.String("RS256"), DurationSeconds: aws.Int32(300),
	})
	if err != nil {
		return nil, fmt.Errorf("getting a token of AWS: %w", err)
	}
	return url.Values{
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {aws.ToString(output.WebIdentityToken)},
	}, nil
}

// secret proves with a client secret that Secrets Manager keeps.
type secret struct {
	client *awsjson.Client
	arn    string
}

// Secret returns the credential of an application whose client secret is the text of a secret of AWS.
func Secret(cfg aws.Config, arn string) Credential {
	return secret{awsjson.New(cfg, awsjson.Service{
		ID: "Secrets Manager", Name: "secretsmanager", Target: "secretsmanager", Version: "1.1",
	}), arn}
}

func (s secret) Form(ctx context.Context) (url.Values, error) {
	in := struct{ SecretId string }{s.arn} //nolint:revive // Secrets Manager's name
	var out struct{ SecretString string }
	if err := s.client.Call(ctx, "GetSecretValue", in, &out); err != nil {
		return nil, fmt.Errorf("reading the client secret: %w", err)
	}
	if out.SecretString == "" {
		return nil, errors.New("reading the client secret: it has no text")
	}
	return url.Values{"client_secret": {out.SecretString}}, nil
}
