package door

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/coreos/go-oidc/v3/oidc"
)

// samlKeys are the signing certificates of a SAML provider in IAM. The identity provider's assertions let people in by
// them, so its tokens may ask for their logout. An expired certificate counts, as it does for assertions.
type samlKeys struct {
	cfg              aws.Config
	arn              string
	tried, succeeded time.Time
	set              oidc.StaticKeySet
	cause            error // of the last fetch, if it failed
}

func (k *samlKeys) verify(ctx context.Context, t token) ([]byte, Reason, error) {
	now := time.Now()
	if now.Sub(k.succeeded) > freshFor {
		if now.Sub(k.tried) < floor {
			return nil, TooSoon, k.cause
		}
		k.tried = now
		keys, err := k.fetch(ctx)
		if err != nil {
			k.cause = causeOf(fmt.Errorf("reading %s: %w", k.arn, err))
			return nil, NoKeys, k.cause
		}
		k.set.PublicKeys, k.succeeded, k.cause = keys, now, nil
	}
	if payload, err := k.set.VerifySignature(ctx, t.raw); err == nil {
		return payload, "", nil
	}
	return nil, BadSignature, nil
}

// fetch asks IAM. The generated client would cost more at start than all else.
// Source: AWS IAM API reference, GetSAMLProvider.
func (k *samlKeys) fetch(ctx context.Context) ([]crypto.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	request, err := k.request(ctx)
	if err != nil {
		return nil, err
	}
	response, err := k.cfg.HTTPClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 4*maxKeys))
	if err != nil {
		return nil, fmt.Errorf("reading IAM's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, refusalOf(response, raw)
	}
	var answer struct {
		Metadata string `xml:"GetSAMLProviderResult>SAMLMetadataDocument"`
	}
	if err := xml.Unmarshal(raw, &answer); err != nil {
		return nil, err
	}
	return signingKeys(answer.Metadata)
}

// refusalOf returns the error that IAM answered.
// Source: AWS IAM API reference, "Common errors".
func refusalOf(response *http.Response, body []byte) error {
	var answer struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	_ = xml.Unmarshal(body, &answer) // without a code, the status says it
	err := fmt.Errorf("IAM answers %s %s: %s", response.Status, answer.Code, answer.Message)
	if answer.Code == "AccessDenied" {
		return fmt.Errorf("missing permission iam:GetSAMLProvider; list the provider in SamlProviderArns: %w", err)
	}
	return err
}

// request returns the signed request for the provider.
func (k *samlKeys) request(ctx context.Context) (*http.Request, error) {
	body := url.Values{
		"Action": {"GetSAMLProvider"}, "Version": {"2010-05-08"}, "SAMLProviderArn": {k.arn},
	}.Encode()
	host, region := iamOf(k.arn)
	address := "https://" + host + "/"
	if k.cfg.BaseEndpoint != nil {
		address = *k.cfg.BaseEndpoint
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	credentials, err := k.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(body))
	signed := hex.EncodeToString(hash[:])
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, signed, "iam", region, time.Now()); err != nil {
		return nil, err
	}
	return request, nil
}

// iamOf returns IAM's host and the Region that its signatures name, in the partition of an ARN.
// Source: AWS General Reference, "IAM endpoints and quotas".
func iamOf(arn string) (host, region string) {
	switch strings.Split(arn, ":")[1] {
	case "aws-cn":
		return "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"
	case "aws-us-gov":
		return "iam.us-gov.amazonaws.com", "us-gov-west-1"
	}
	return "iam.amazonaws.com", "us-east-1"
}

// signingKeys returns the keys of the certificates with which an identity provider signs.
// Source: SAML 2.0 metadata, KeyDescriptor: without "use", a key is for signing, too.
func signingKeys(metadata string) ([]crypto.PublicKey, error) {
	var entity struct {
		Keys []struct {
			Use          string   `xml:"use,attr"`
			Certificates []string `xml:"KeyInfo>X509Data>X509Certificate"`
		} `xml:"IDPSSODescriptor>KeyDescriptor"`
	}
	if err := xml.Unmarshal([]byte(metadata), &entity); err != nil {
		return nil, fmt.Errorf("reading the SAML metadata: %w", err)
	}
	var keys []crypto.PublicKey
	for _, k := range entity.Keys {
		if k.Use != "" && k.Use != "signing" {
			continue
		}
		for _, text := range k.Certificates {
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
			if err != nil {
				return nil, fmt.Errorf("reading a certificate: %w", err)
			}
			certificate, err := x509.ParseCertificate(der)
			if err != nil {
				return nil, fmt.Errorf("reading a certificate: %w", err)
			}
			keys = append(keys, certificate.PublicKey)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the SAML metadata has no certificate for signing")
	}
	return keys, nil
}
