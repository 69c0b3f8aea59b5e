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

	// Alike reports whether a skeleton resembles a wanted name. Rows with such a user name or common name are kept for
	// people to read, at most MaxAlike of them. It may be nil.
	Alike    func(skeleton []byte) bool
	MaxAlike int
	// Removed is how many rows the filter has removed from the last page.
	Removed int

	alike int          // rows that were kept for their likeness alone
	page  bytes.Buffer // kept from one page to the next
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
	f.Removed = 0
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
	before, rows := f.alike, 0
	at := start + len(list)
	for {
		from := at + blanks(page[at:])
		if bytes.HasPrefix(page[from:], []byte("</connections>")) {
			at = from
			break
		}
		length, why, err := f.row(page[from:])
		if err != nil {
			f.alike = before
			return page
		}
		at = from + length
		rows++
		if why > unwanted {
			kept = append(kept, span{from, at})
		}
		if why == alike {
			f.alike++
		}
	}
	f.Removed = rows - len(kept)
	left := page[:start+len(list)]
	for _, k := range kept {
		left = append(left, page[k.from:k.to]...)
	}
	return append(left, page[at:]...)
}

// keep is why a row is kept; the larger reason counts.
type keep uint8

const (
	unwanted keep = iota
	alike         // a name in it resembles a wanted one
	wanted        // a text in it may be a wanted one
)

// row returns the length of the <item> that begins here, and why it is kept.
func (f *RowFilter) row(page []byte) (length int, why keep, err error) {
	const open, shut = "<item>", "</item>"
	if !bytes.HasPrefix(page, []byte(open)) {
		return 0, unwanted, errNotPlain
	}
	at, depth := len(open), 1
	for depth > 0 {
		tag := bytes.IndexByte(page[at:], '<')
		if tag < 0 {
			return 0, unwanted, errNotPlain
		}
		if why < wanted && tag > 0 {
			why = max(why, f.judge(page[at:at+tag], page[at+tag:]))
		}
		at += tag
		end := bytes.IndexByte(page[at:], '>')
		if end < 2 {
			return 0, unwanted, errNotPlain
		}
		switch name := page[at+1 : at+end]; {
		case bytes.IndexByte(name, '=') >= 0: // an attribute may hold a >
			return 0, unwanted, errNotPlain
		case name[0] == '/':
			depth--
		case name[len(name)-1] != '/':
			depth++
		}
		at += end + 1
	}
	if !bytes.Equal(page[at-len(shut):at], []byte(shut)) {
		return 0, unwanted, errNotPlain
	}
	return at, why, nil
}

// judge returns what a text in a row says for keeping it. tag is what comes behind the text.
func (f *RowFilter) judge(text, tag []byte) keep {
	switch {
	case f.wants(text):
		return wanted
	case f.isAlike(text, tag):
		return alike
	}
	return unwanted
}

// isAlike reports whether the text is a user name or a common name that resembles a wanted one, and there is room for
// its row.
func (f *RowFilter) isAlike(text, tag []byte) bool {
	if f.Alike == nil || f.alike >= f.MaxAlike ||
		!bytes.HasPrefix(tag, []byte("</username>")) && !bytes.HasPrefix(tag, []byte("</commonName>")) {
		return false
	}
	text = bytes.TrimSpace(text)
	var folded [64]byte
	if from, to, plain := fold(text, &folded); plain {
		return f.Alike(folded[from:to])
	}
	return f.Alike([]byte(identity.Skeleton(string(text))))
}

// wants reports whether a text may be a wanted one. A text with an escape in it may be anything.
func (f *RowFilter) wants(text []byte) bool {
	if bytes.IndexByte(text, '&') >= 0 {
		return true
	}
	text = bytes.TrimSpace(text)
	var folded [64]byte
	if from, to, plain := fold(text, &folded); plain {
		return f.Wanted[string(folded[:len(text)])] || f.Similar[string(folded[from:to])]
	}
	return f.wantsName(string(text))
}

// fold writes the folded text, and returns where in it the name without its domain is. It returns false for a text
// that is not that simple.
func fold(text []byte, folded *[64]byte) (from, to int, plain bool) {
	if len(text) > len(folded) {
		return 0, 0, false
	}
	to = len(text)
	for i, b := range text {
		switch {
		case b >= 0x80, b == '.' && i == len(text)-1:
			return 0, 0, false
		case 'A' <= b && b <= 'Z':
			b += 'a' - 'A'
		case b == '\\' || b == '/':
			from, to = i+1, len(text)
		case b == '@' && to == len(text):
			to = i
		}
		folded[i] = b
	}
	return from, to, true
}

// wantsName is wants for a name of any length and script.
func (f *RowFilter) wantsName(name string) bool {
	return f.Wanted[identity.Fold(identity.Clean(name))] || f.Similar[identity.Skeleton(name)]
}

func blanks(page []byte) int { return len(page) - len(bytes.TrimLeft(page, " \t\r\n")) }
