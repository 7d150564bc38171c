package figures

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"whyhow/katas/kit/figure"
)

const (
	width      = 7.5 * vg.Inch // 720 pixels: shown 600 wide, the smallest text is still 10 pixels high
	margin     = vg.Length(12)
	gutter     = vg.Length(18) // between panels
	gap        = vg.Length(8)  // between what stands above one another
	tallest    = vg.Length(250)
	contentMax = width - 2*margin
	labelRoom  = vg.Length(16) // of an axis
)

// sheet is a figure laid out: title, one legend if the panels can share it, panels, caption. A panel has its title,
// its own legend otherwise, and its plot.
type sheet struct {
	title, caption  []string
	panels          []panel
	shared          legend
	titles, legends vg.Length // the heights kept in every panel, so that the plots stand in a row
	plots, height   vg.Length
	panelWidth      vg.Length
}

type panel struct {
	figure.Panel
	title  []string
	legend legend
	plot   *plot.Plot
}

func layOut(f figure.Figure) *sheet {
	n := vg.Length(len(f.Panels))
	s := &sheet{
		title:      wrap(f.Title, titleStyle, contentMax),
		caption:    wrap(f.Caption, captionStyle, contentMax),
		panelWidth: (contentMax - (n-1)*gutter) / n,
	}
	keys := colours(f)
	for _, p := range f.Panels {
		s.panels = append(s.panels, panel{
			Panel:  p,
			title:  wrap(p.Title, panelStyle, s.panelWidth),
			legend: newLegend(p, keys, s.panelWidth),
			plot:   newPlot(p, keys, s.panelWidth),
		})
	}
	s.share()
	for _, p := range s.panels {
		s.titles = max(s.titles, textHeight(panelStyle, p.title))
		s.legends = max(s.legends, p.legend.height())
		s.plots = max(s.plots, p.wantedHeight(s.panelWidth))
	}
	s.height = 2*margin + s.plots
	for _, h := range []vg.Length{textHeight(titleStyle, s.title), s.shared.height(), s.titles, s.legends, textHeight(captionStyle, s.caption)} {
		if h > 0 {
			s.height += h + gap
		}
	}
	return s
}

// share moves the panels' legends into one for all where one of them holds the others.
func (s *sheet) share() {
	longest := slices.MaxFunc(s.panels, func(a, b panel) int { return len(a.legend.entries) - len(b.legend.entries) }).legend
	for _, p := range s.panels {
		for _, e := range p.legend.entries {
			if !slices.Contains(longest.entries, e) {
				return
			}
		}
	}
	s.shared = longest.within(contentMax)
	for i := range s.panels {
		s.panels[i].legend = legend{}
	}
}

func (s *sheet) draw(c draw.Canvas) {
	c.FillPolygon(color.White, corners(c.Rectangle))
	c = draw.Crop(c, margin, -margin, margin, -margin)
	take := func(h vg.Length) draw.Canvas { // cuts h off the top
		top := c
		if h == 0 {
			top.Min.Y = top.Max.Y
			return top
		}
		top.Min.Y = c.Max.Y - h
		c.Max.Y -= h + gap
		return top
	}
	drawLines(take(textHeight(titleStyle, s.title)), titleStyle, s.title)
	s.shared.draw(take(s.shared.height()))
	titles, legends, plots := take(s.titles), take(s.legends), take(s.plots)
	deepest := vg.Length(0)
	for i, p := range s.panels {
		column := func(row draw.Canvas) draw.Canvas {
			row.Min.X += vg.Length(i) * (s.panelWidth + gutter)
			row.Max.X = row.Min.X + s.panelWidth
			return row
		}
		drawLines(column(titles), panelStyle, p.title)
		p.legend.draw(column(legends))
		if p.Heat == nil {
			at := column(plots)
			deepest = max(deepest, p.dataCanvas(at).Min.Y-at.Min.Y)
		}
	}
	for i, p := range s.panels {
		at := plots
		at.Min.X += vg.Length(i) * (s.panelWidth + gutter)
		at.Max.X = at.Min.X + s.panelWidth
		if p.Heat != nil {
			p.drawHeat(at)
			continue
		}
		at.Min.Y += deepest - (p.dataCanvas(at).Min.Y - at.Min.Y)
		p.drawPlot(at)
	}
	drawLines(take(textHeight(captionStyle, s.caption)), captionStyle, s.caption)
}

// wantedHeight is the height of a panel's plot: a heat map has square cells, the others fill what there is.
func (p panel) wantedHeight(w vg.Length) vg.Length {
	if p.Heat == nil {
		return tallest
	}
	at := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: w - p.colourBarWidth(), Y: 10 * tallest}}}
	data := p.dataCanvas(at)
	rows, columns := vg.Length(len(p.Heat.Values)), vg.Length(len(p.Heat.Values[0]))
	around := at.Max.Y - data.Size().Y
	return min(tallest, around+min(data.Size().X/columns, largestCell)*rows)
}

// inner is what the labels of the axes leave of a panel. gonum's own labels make it leave room in the wrong places where
// an axis is logarithmic.
func (p panel) inner(c draw.Canvas) draw.Canvas {
	if p.Y.Label != "" {
		c.Min.X += labelRoom
	}
	if p.X.Label != "" {
		c.Min.Y += labelRoom
	}
	return c
}

// dataCanvas is where the marks of a panel on c stand.
func (p panel) dataCanvas(c draw.Canvas) draw.Canvas { return p.plot.DataCanvas(p.inner(c)) }

// drawPlot draws the plot with the labels of its axes.
func (p panel) drawPlot(c draw.Canvas) {
	p.plot.Draw(p.inner(c))
	data := p.dataCanvas(c)
	middle := data.Center()
	sty := labelStyle
	sty.XAlign, sty.YAlign = draw.XCenter, draw.YBottom
	c.FillText(sty, vg.Point{X: middle.X, Y: c.Min.Y}, p.X.Label)
	sty.YAlign, sty.Rotation = draw.YTop, math.Pi/2
	c.FillText(sty, vg.Point{X: c.Min.X, Y: middle.Y}, p.Y.Label)
}

func corners(r vg.Rectangle) []vg.Point {
	return []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}}
}
