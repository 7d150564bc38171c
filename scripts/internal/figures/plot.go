package figures

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"whyhow/katas/kit/figure"
)

// newPlot returns the axes and marks of a panel of the given width.
func newPlot(p figure.Panel, keys map[string]key, w vg.Length) *plot.Plot {
	plt := plot.New()
	setAxis(&plt.X, p.X, maxTicks(w-50, 32))
	setAxis(&plt.Y, p.Y, 7)
	switch {
	case p.Heat != nil:
		addHeat(plt, p)
		fitLabels(plt, p.X.Ticks, w)
	case len(p.Bars) > 0:
		addBars(plt, p, keys, w)
	default:
		addSeries(plt, p, keys)
		widen(&plt.X, p.X.Log)
		widen(&plt.Y, p.Y.Log)
		fitLabels(plt, p.X.Ticks, w)
	}
	limit(&plt.X, p.X)
	limit(&plt.Y, p.Y)
	return plt
}

func maxTicks(w, each vg.Length) int { return max(2, min(9, int(w/each))) }

func setAxis(to *plot.Axis, a figure.Axis, most int) {
	at := to.Tick.Label
	to.Tick.Label = tickStyle
	to.Tick.Label.XAlign, to.Tick.Label.YAlign = at.XAlign, at.YAlign
	to.LineStyle = draw.LineStyle{Color: faded, Width: 0.75}
	to.Tick.LineStyle = to.LineStyle
	to.Tick.Length = 4
	to.Padding = 0
	switch {
	case len(a.Ticks) > 0:
		to.Tick.Marker = named(a.Ticks)
	case a.Log:
		to.Tick.Marker = decades(most)
	default:
		to.Tick.Marker = round(most)
	}
	if a.Log {
		to.Scale = plot.LogScale{}
	}
}

// widen leaves room around the data, so that no mark stands on an axis.
func widen(to *plot.Axis, log bool) {
	const share = 0.025
	if log {
		room := math.Pow(to.Max/to.Min, share)
		to.Min, to.Max = to.Min/room, to.Max*room
		return
	}
	room := share * (to.Max - to.Min)
	to.Min, to.Max = to.Min-room, to.Max+room
}

// limit sets the ends of an axis after the data has been added.
func limit(to *plot.Axis, a figure.Axis) {
	if a.Min != nil {
		to.Min = *a.Min
	}
	if a.Max != nil {
		to.Max = *a.Max
	}
	if to.Max > to.Min {
		return
	}
	// One value, or an end beyond all data: make it a range.
	switch {
	case a.Log && a.Max != nil:
		to.Min = to.Max / 10
	case a.Log && a.Min != nil:
		to.Max = to.Min * 10
	case a.Log:
		to.Min, to.Max = to.Min/2, to.Max*2
	case a.Max != nil:
		to.Min = to.Max - 1
	case a.Min != nil:
		to.Max = to.Min + 1
	default:
		around := math.Max(math.Abs(to.Min)/10, 0.5)
		to.Min, to.Max = to.Min-around, to.Max+around
	}
}

func grid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Horizontal = draw.LineStyle{Color: rule, Width: 0.5}
	g.Vertical = g.Horizontal
	return g
}

func addSeries(plt *plot.Plot, p figure.Panel, keys map[string]key) {
	plt.Add(grid())
	for _, s := range p.Series { // bands lie under the curves
		if s.Mark == figure.Band {
			plt.Add(band{s, keys[s.Name]})
		}
	}
	for _, points := range []bool{false, true} { // and points over the lines
		for _, s := range p.Series {
			if s.Mark != figure.Band && (s.Mark == figure.Points) == points {
				plt.Add(curve{s, keys[s.Name]})
			}
		}
	}
}

// curve draws a series; a value that is not finite parts it.
type curve struct {
	figure.Series
	key key
}

func (s curve) Plot(c draw.Canvas, plt *plot.Plot) {
	x, y := plt.Transforms(&c)
	var run []vg.Point
	flush := func() {
		switch {
		case s.Mark == figure.Points:
		case len(run) > 1:
			c.StrokeLines(s.key.line(s.Mark), c.ClipLinesXY(run)...)
			if s.Mark == figure.Line && s.key.marked {
				s.drawMarks(c, run)
			}
		case len(run) == 1:
			c.DrawGlyph(s.key.glyph(s.Mark), run[0])
		}
		if s.Mark == figure.Points || s.Mark == figure.LinePoints {
			for _, at := range run {
				c.DrawGlyph(s.key.glyph(s.Mark), at)
			}
		}
		run = nil
	}
	for i := range s.X {
		if finite(s.Y[i]) {
			run = append(run, vg.Point{X: x(s.X[i]), Y: y(s.Y[i])})
		} else {
			flush()
		}
	}
	flush()
}

// drawMarks puts the line's shape on it at even distances across the panel, a little apart from those of the others.
func (s curve) drawMarks(c draw.Canvas, run []vg.Point) {
	const marks = 6
	each := c.Size().X / marks
	offset := each * vg.Length(slices.Index(shapes, s.key.shape)+1) / vg.Length(len(shapes)+1)
	for at := c.Min.X + offset; at < c.Max.X; at += each {
		for i := range run[1:] {
			a, b := run[i], run[i+1]
			if a.X <= at && at < b.X {
				c.DrawGlyph(s.key.glyph(figure.LinePoints), vg.Point{X: at, Y: a.Y + (b.Y-a.Y)*(at-a.X)/(b.X-a.X)})
			}
		}
	}
}

func (s curve) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = extent(s.X)
	ymin, ymax = extent(s.Y)
	return xmin, xmax, ymin, ymax
}

// band fills the area between two curves; a value that is not finite parts it.
type band struct {
	figure.Series
	key key
}

func (s band) Plot(c draw.Canvas, plt *plot.Plot) {
	x, y := plt.Transforms(&c)
	var lower, upper []vg.Point
	flush := func() {
		if len(lower) > 1 {
			outline := lower
			for i := len(upper) - 1; i >= 0; i-- {
				outline = append(outline, upper[i])
			}
			c.FillPolygon(s.key.area(), c.ClipPolygonXY(outline))
		}
		lower, upper = nil, nil
	}
	for i := range s.X {
		if finite(s.Low[i]) && finite(s.High[i]) {
			lower = append(lower, vg.Point{X: x(s.X[i]), Y: y(s.Low[i])})
			upper = append(upper, vg.Point{X: x(s.X[i]), Y: y(s.High[i])})
		} else {
			flush()
		}
	}
	flush()
}

func (s band) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = extent(s.X)
	ymin, _ = extent(s.Low)
	_, ymax = extent(s.High)
	return xmin, xmax, ymin, ymax
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// extent returns the least and the largest finite value.
func extent(values []float64) (least, largest float64) {
	least, largest = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			least, largest = math.Min(least, v), math.Max(largest, v)
		}
	}
	return least, largest
}
