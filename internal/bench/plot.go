package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// panel is a plot with lines.
type panel struct {
	title, x string // x is what the horizontal axis counts
	series   []series
}

type series struct {
	name string
	x, y []float64
}

const (
	plotWidth, plotHeight = 800, 250 // of a panel, in pixels
	left, right, top      = 60, 20, 64
	bottom                = 50
)

// draw returns the panels, one below the other, as an SVG. It has a ground of its own, to be read on a light page and
// on a dark one.
func draw(panels []panel) string {
	var svg strings.Builder
	height := len(panels) * (plotHeight + top + bottom)
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d"`+
		` font-family="system-ui, sans-serif" font-size="13">
<style>
.ground { fill: #ffffff } text { fill: #1f2328 } .quiet { fill: #59636e } .grid { stroke: #d1d9e0 }
path { fill: none; stroke-width: 2 }
.c0 { stroke: #59636e; stroke-dasharray: 5 4 } .c1 { stroke: #0969da } .c2 { stroke: #bc4c00 }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } text { fill: #f0f6fc } .quiet { fill: #9198a1 } .grid { stroke: #3d444d }
.c0 { stroke: #9198a1 } .c1 { stroke: #4493f8 } .c2 { stroke: #f0883e }
}
</style>
<rect class="ground" width="100%%" height="100%%" rx="6"/>
`, plotWidth, height)
	for i, p := range panels {
		fmt.Fprintf(&svg, "<g transform=\"translate(0 %d)\">\n", i*(plotHeight+top+bottom))
		p.draw(&svg)
		svg.WriteString("</g>\n")
	}
	svg.WriteString("</svg>\n")
	return svg.String()
}

func (p panel) draw(svg *strings.Builder) {
	s := p.scale()
	fmt.Fprintf(svg, "<text x=\"%d\" y=\"24\" font-weight=\"600\">%s</text>\n", left, p.title)
	s.grid(svg)
	fmt.Fprintf(svg, "<text class=\"quiet\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
		plotWidth-right, top+plotHeight+40, p.x)
	at := left
	for i, line := range p.series {
		fmt.Fprintf(svg, "<path class=\"c%d\" d=\"M%d 42h24\"/><text x=\"%d\" y=\"46\">%s</text>\n", i, at, at+30, line.name)
		at += 60 + 7*len(line.name)
	}
	for i, line := range slices.Backward(p.series) { // the first is what the others are compared with, and lies above them
		fmt.Fprintf(svg, "<path class=\"c%d\" d=\"%s\"/>\n", i, s.path(line))
	}
}

// scale leads from values to pixels.
type scale struct{ maxX, maxY, stepX, stepY float64 }

func (p panel) scale() scale {
	var maxX, maxY float64
	for _, s := range p.series {
		for i := range s.x {
			maxX, maxY = max(maxX, s.x[i]), max(maxY, s.y[i])
		}
	}
	stepX, stepY := step(maxX), step(maxY)
	return scale{math.Ceil(maxX/stepX) * stepX, math.Ceil(maxY/stepY) * stepY, stepX, stepY}
}

func (s scale) x(v float64) float64 { return left + v/s.maxX*(plotWidth-left-right) }

func (s scale) y(v float64) float64 { return top + plotHeight - v/s.maxY*plotHeight }

func (s scale) grid(svg *strings.Builder) {
	for v := 0.0; v <= s.maxY; v += s.stepY {
		fmt.Fprintf(svg, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
			left, plotWidth-right, s.y(v), s.y(v))
		fmt.Fprintf(svg, "<text class=\"quiet\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", left-8, s.y(v)+4, v)
	}
	for v := 0.0; v <= s.maxX; v += s.stepX {
		fmt.Fprintf(svg, "<text class=\"quiet\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
			s.x(v), top+plotHeight+20, v)
	}
}

// path draws a line through the points. Of points that nobody can tell apart it has the first, and the very last.
func (s scale) path(line series) string {
	var d strings.Builder
	drawn := math.Inf(-1)
	for k := range line.x {
		if px := s.x(line.x[k]); px-drawn >= 2 || k == len(line.x)-1 {
			fmt.Fprintf(&d, "%c%.1f %.1f", "ML"[min(k, 1)], px, s.y(line.y[k]))
			drawn = px
		}
	}
	return d.String()
}

// step returns a round distance between the four to ten lines of a grid.
func step(most float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(most)))
	switch {
	case most/unit < 2:
		return unit / 4
	case most/unit < 5:
		return unit / 2
	}
	return unit
}
