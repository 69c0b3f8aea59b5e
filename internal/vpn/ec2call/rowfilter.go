package ec2call

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"clientvpn-responder/internal/identity"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// RowFilter removes rows that contain none of the wanted names before the SDK decodes the page. Of a thousand rows
// usually one or none is wanted, and decoding all of them takes twenty times as long as searching their bytes. The
// filter decides nothing: vpn decodes and matches the rows that are left. So the filter may leave a row too many, and
// never removes one too many. It removes a row only if every text in it is plain and none is wanted. It does not touch
// a page that is not built as expected.
type RowFilter struct {
	// Wanted are folded names, and ids.
	Wanted map[string]bool
	// Similar are skeletons, as [identity.Skeleton] returns them: names without domain and accents.
	Similar map[string]bool

	page bytes.Buffer // kept from one page to the next
}

// HandleDeserialize reads the answer and passes it on without the rows that are not wanted. It passes on a body that
// cannot be read to its end as it came, with the error behind it.
func (f *RowFilter) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput,
	next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.StatusCode >= 300 {
		return out, metadata, err
	}
	body := response.Body
	f.page.Reset()
	f.page.Grow(int(max(response.ContentLength, 0)) + bytes.MinRead) // or it would be copied as it grows
	_, err = f.page.ReadFrom(body)
	page := f.page.Bytes()
	var rest io.Reader = bytes.NewReader(nil)
	if err == nil {
		page = f.without(page)
	} else {
		rest = failing{err}
	}
	response.Body = replayBody{io.MultiReader(bytes.NewReader(page), rest), body}
	return out, metadata, nil
}

// ID names the middleware.
func (*RowFilter) ID() string { return "RowFilter" }

// Into puts the filter between the answer and the SDK's decoder.
func (f *RowFilter) Into(o *ec2.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		if err := stack.Deserialize.Insert(f, "OperationDeserializer", middleware.After); err != nil {
			return fmt.Errorf("adding the row filter: %w", err)
		}
		return nil
	})
}

type failing struct{ error }

func (e failing) Read([]byte) (int, error) { return 0, e.error }

var errNotPlain = errors.New("not a plain list")

// without returns the page without the rows that are not wanted. It writes over the page itself.
func (f *RowFilter) without(page []byte) []byte {
	const list = "<connections>"
	start := bytes.Index(page, []byte(list))
	if start < 0 {
		return page
	}
	type span struct{ from, to int }
	var kept []span
	at := start + len(list)
	for {
		from := at + blanks(page[at:])
		if bytes.HasPrefix(page[from:], []byte("</connections>")) {
			at = from
			break
		}
		length, wanted, err := f.row(page[from:])
		if err != nil {
			return page
		}
		at = from + length
		if wanted {
			kept = append(kept, span{from, at})
		}
	}
	left := page[:start+len(list)]
	for _, k := range kept {
		left = append(left, page[k.from:k.to]...)
	}
	return append(left, page[at:]...)
}

// row returns the length of the <item> that begins here, and whether it contains a wanted text.
func (f *RowFilter) row(page []byte) (length int, wanted bool, err error) {
	const open, shut = "<item>", "</item>"
	if !bytes.HasPrefix(page, []byte(open)) {
		return 0, false, errNotPlain
	}
	at, depth := len(open), 1
	for depth > 0 {
		tag := bytes.IndexByte(page[at:], '<')
		if tag < 0 {
			return 0, false, errNotPlain
		}
		if !wanted && tag > 0 {
			wanted = f.wants(page[at : at+tag])
		}
		at += tag
		end := bytes.IndexByte(page[at:], '>')
		if end < 2 {
			return 0, false, errNotPlain
		}
		switch name := page[at+1 : at+end]; {
		case bytes.IndexByte(name, '=') >= 0: // an attribute may hold a >
			return 0, false, errNotPlain
		case name[0] == '/':
			depth--
		case name[len(name)-1] != '/':
			depth++
		}
		at += end + 1
	}
	if !bytes.Equal(page[at-len(shut):at], []byte(shut)) {
		return 0, false, errNotPlain
	}
	return at, wanted, nil
}

// wants reports whether a text may be a wanted one. A text with an escape in it may be anything.
func (f *RowFilter) wants(text []byte) bool {
	if bytes.IndexByte(text, '&') >= 0 {
		return true
	}
	text = bytes.TrimSpace(text)
	var folded [64]byte
	if len(text) > len(folded) {
		return f.wantsName(string(text))
	}
	from, to := 0, len(text) // of the name without a domain
	for i, b := range text {
		switch {
		case b >= 0x80, b == '.' && i == len(text)-1:
			return f.wantsName(string(text))
		case 'A' <= b && b <= 'Z':
			b += 'a' - 'A'
		case b == '\\' || b == '/':
			from, to = i+1, len(text)
		case b == '@' && to == len(text):
			to = i
		}
		folded[i] = b
	}
	return f.Wanted[string(folded[:len(text)])] || f.Similar[string(folded[from:to])]
}

// wantsName is wants for a name of any length and script.
func (f *RowFilter) wantsName(name string) bool {
	return f.Wanted[identity.Fold(identity.Clean(name))] || f.Similar[identity.Skeleton(name)]
}

func blanks(page []byte) int { return len(page) - len(bytes.TrimLeft(page, " \t\r\n")) }
