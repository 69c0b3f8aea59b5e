// Package graph asks Microsoft Graph about the people of a Microsoft Entra tenant.
//
// It promises to wait as long as Graph asks it to, and to follow pages on Graph's own host only. It is the only package
// that talks to Microsoft.
package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client asks for one tenant. It is not for several goroutines.
type Client struct {
	HTTP *http.Client
	// Graph and Login are the addresses of the services. National clouds have others.
	Graph, Login     string
	Tenant, ClientID string
	Credential       Credential

	token   string
	expires time.Time
}

// Credential proves to Entra who asks: a token of AWS, or a secret.
type Credential interface {
	// Form returns the members of the request for a token that prove it.
	Form(ctx context.Context) (url.Values, error)
}

// Error is an answer of Microsoft that is no success.
type Error struct {
	Status        int
	Code, Message string
	Wait          time.Duration // before the next try; 0 where Microsoft does not say
}

// Error returns the code and the text.
func (e *Error) Error() string { return fmt.Sprintf("%s (%d): %s", e.Code, e.Status, e.Message) }

const (
	maxAnswer = 16 << 20 // bytes
	tries     = 5
	// leastWait is how long to wait before another try at least.
	leastWait = time.Second
)

// Page is a page of an answer. Next is the address of the page behind it, and Delta that of the next changes; the last
// page of a delta query has the latter.
type Page struct {
	Value []json.RawMessage `json:"value"`
	Next  string            `json:"@odata.nextLink"`
	Delta string            `json:"@odata.deltaLink"`
}

// Pages yields the pages from an address on, and ends after the first error.
func (c *Client) Pages(ctx context.Context, address string) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for address != "" {
			var page Page
			err := c.Get(ctx, address, &page)
			if !yield(page, err) || err != nil {
				return
			}
			address = page.Next
		}
	}
}

// Get reads the answer at an address, which may lack the host. It waits and tries again where Graph asks for it, as
// long as ctx lasts.
func (c *Client) Get(ctx context.Context, address string, out any) error {
	if strings.HasPrefix(address, "/") {
		address = c.Graph + address
	}
	if !strings.HasPrefix(address, c.Graph+"/") {
		return fmt.Errorf("reading %q: that is not below %s, and the token is for nobody else", address, c.Graph)
	}
	var err error
	for range tries {
		if err = c.try(ctx, address, out); err == nil {
			return nil
		}
		again, wait := c.again(err)
		if !again {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", wait, err)
		}
	}
	return err
}

// again reports whether the request may succeed later, and after how long.
func (c *Client) again(err error) (again bool, wait time.Duration) {
	refused, ok := errors.AsType[*Error](err)
	if !ok {
		return false, 0
	}
	switch refused.Status {
	case http.StatusUnauthorized:
		if c.token == "" {
			return false, 0 // the sign-in was refused
		}
		c.token = ""
		return true, 0
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		http.StatusInternalServerError, http.StatusBadGateway:
		return true, max(refused.Wait, leastWait)
	}
	return false, 0
}

func (c *Client) try(ctx context.Context, address string, out any) error {
	if err := c.signIn(ctx); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("reading %q: %w", address, err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	return c.send(request, out)
}

// signIn gets a token, unless there is one that lasts for a while.
// Source: Microsoft identity platform, "OAuth 2.0 client credentials flow".
func (c *Client) signIn(ctx context.Context) error {
	if c.token != "" && time.Now().Before(c.expires) {
		return nil
	}
	c.token = ""
	form, err := c.Credential.Form(ctx)
	if err != nil {
		return fmt.Errorf("signing in to Microsoft Entra: %w", err)
	}
	form.Set("grant_type", "client_credentials")
	form.Set("client_id", c.ClientID)
	form.Set("scope", c.Graph+"/.default")
	address := c.Login + "/" + c.Tenant + "/oauth2/v2.0/token"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("signing in to Microsoft Entra: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		Token   string  `json:"access_token"`
		Seconds float64 `json:"expires_in"`
	}
	if err := c.send(request, &answer); err != nil {
		return fmt.Errorf("signing in to Microsoft Entra: %w", err)
	}
	c.token = answer.Token
	c.expires = time.Now().Add(time.Duration(answer.Seconds)*time.Second - time.Minute)
	return nil
}

// send sends a request and reads the answer into out.
func (c *Client) send(request *http.Request, out any) error {
	response, err := c.HTTP.Do(request)
	if err != nil {
		return fmt.Errorf("asking Microsoft: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading Microsoft's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return readError(response, body)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("reading Microsoft's answer: %w", err)
	}
	return nil
}

// readError reads an error of Graph, or of the sign-in.
func readError(response *http.Response, body []byte) *Error {
	e := &Error{Status: response.StatusCode, Code: http.StatusText(response.StatusCode)}
	var graph struct {
		Error struct{ Code, Message string }
	}
	var login struct {
		Error       string
		Description string `json:"error_description"`
	}
	switch {
	case json.Unmarshal(body, &graph) == nil && graph.Error.Code != "":
		e.Code, e.Message = graph.Error.Code, graph.Error.Message
	case json.Unmarshal(body, &login) == nil && login.Error != "":
		e.Code, e.Message = login.Error, login.Description
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		e.Wait = time.Duration(seconds) * time.Second
	}
	return e
}
