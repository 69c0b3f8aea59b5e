package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"
	"unicode"
)

//go:embed pages/*.html pages/style.css
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"utc":   func(t time.Time) string { return t.UTC().Format(time.DateTime) },
	"upper": strings.ToUpper,
	"span":  Span,
	"size":  size,
	"css":   style,
}).ParseFS(files, "pages/*.html"))

// style returns the style sheet, which is ours.
func style() (template.CSS, error) {
	raw, err := files.ReadFile("pages/style.css")
	return template.CSS(raw), err //nolint:gosec // it is a file of this package
}

// write writes a page. It puts a question mark for what cannot be seen or would turn the text around.
func write(w io.Writer, name string, data any) error {
	var page strings.Builder
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		return fmt.Errorf("making the page: %w", err)
	}
	_, err := io.WriteString(w, strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, page.String()))
	if err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

func size(bytes int64) string {
	switch {
	case bytes >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
	case bytes >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	case bytes >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
