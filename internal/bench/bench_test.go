package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/trial"
)

// TestNoEventIsLost: every one of a mixture is answered, asks for nothing, or goes back to the queue.
func TestNoEventIsLost(t *testing.T) {
	t.Chdir("../..")
	binary, err := trial.BuildHandler(t.Context(), console.Plain(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	policyFile, err := filepath.Abs(trial.Demonstration)
	if err != nil {
		t.Fatal(err)
	}
	const events = 300
	s, err := soak(t.Context(), binary, (&bench{policy: policyFile}).environment, events, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range s.lost {
		t.Errorf("lost: %s", body)
	}
	if s.answered+s.nothing+s.back != events || s.answered < events/2 || s.nothing == 0 || s.back == 0 || s.ended == 0 {
		t.Errorf("%+v", s)
	}
}

// TestPlots: a point is drawn where its values are, those that nobody could tell apart are left out, and it is XML.
func TestPlots(t *testing.T) {
	svg := draw([]panel{
		{title: "one", x: "seconds", series: []series{
			{"a", []float64{0, 5, 10}, []float64{0, 50, 100}},
			{"b", []float64{0, 0.001, 0.002, 10}, []float64{20, 21, 22, 23}},
		}},
		{title: "two", series: []series{{"c", []float64{1, 3}, []float64{7, 9}}}},
	})
	for _, want := range []string{
		`d="M60.0 314.0L420.0 189.0L780.0 64.0"`, `d="M60.0 264.0L780.0 256.5"`, ">one<", ">seconds<", ">b<", ">two<",
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("there is no %s in\n%s", want, svg)
		}
	}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestBenchNamesPartsThatAreNone(t *testing.T) {
	err := Measure(t.Context(), console.Plain(io.Discard), []string{"one", "two"}, false)
	if err == nil || !strings.Contains(err.Error(), `"two"`) {
		t.Error(err)
	}
}
