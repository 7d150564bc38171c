package figures

import (
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"whyhow/katas/kit/figure"
)

// okabeIto is Okabe and Ito's palette, told apart by the colour-blind as well; its yellow is too light for a line on white.
// Source: M. Okabe and K. Ito, Color Universal Design, 2008.
var okabeIto = []color.NRGBA{
	{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}, // blue
	{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}, // vermilion
	{R: 0x00, G: 0x9e, B: 0x73, A: 0xff}, // bluish green
	{R: 0xcc, G: 0x79, B: 0xa7, A: 0xff}, // reddish purple
	{R: 0xe6, G: 0x9f, B: 0x00, A: 0xff}, // orange
	{R: 0x56, G: 0xb4, B: 0xe9, A: 0xff}, // sky blue
	{R: 0x22, G: 0x22, B: 0x22, A: 0xff}, // black
}

// shapes keep series apart where colours come round again, and in grey. All are filled: an outline is lost on a line.
var shapes = []draw.GlyphDrawer{
	draw.CircleGlyph{},
	draw.BoxGlyph{},
	draw.PyramidGlyph{},
	&polygon{{X: 0, Y: -1.3}, {X: 1.3, Y: 0}, {X: 0, Y: 1.3}, {X: -1.3, Y: 0}},           // a diamond
	&polygon{{X: 0, Y: -1.2}, {X: 1.1, Y: 0.8}, {X: -1.1, Y: 0.8}},                       // a triangle on its tip
	&polygon{{X: -1.6, Y: -0.5}, {X: 1.6, Y: -0.5}, {X: 1.6, Y: 0.5}, {X: -1.6, Y: 0.5}}, // a bar
}

// polygon is a mark by its corners, in units of the mark's radius. A pointer to one can be compared, as keys are.
type polygon []vg.Point

// DrawGlyph fills the polygon around pt.
func (p *polygon) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	corners := make([]vg.Point, len(*p))
	for i, corner := range *p {
		corners[i] = pt.Add(corner.Scale(sty.Radius))
	}
	c.FillPolygon(sty.Color, corners)
}

// key is how a name looks in every panel of a figure.
type key struct {
	colour  color.NRGBA
	shape   draw.GlyphDrawer
	round   int  // how often the colours have come round before
	marked  bool // a line that shares a panel with another line: its shape tells them apart in grey
	pattern int  // the number of a group of bars
}

// colours gives each name of a figure its look, in the order of first use.
func colours(f figure.Figure) map[string]key {
	keys := map[string]key{}
	var groups []string
	add := func(name string) {
		if _, ok := keys[name]; !ok {
			n := len(keys)
			keys[name] = key{colour: okabeIto[n%len(okabeIto)], shape: shapes[n%len(shapes)], round: n / len(okabeIto)}
		}
	}
	for _, p := range f.Panels {
		var lines []string
		for _, s := range p.Series {
			add(s.Name)
			if s.Mark == figure.Line {
				lines = append(lines, s.Name)
			}
		}
		for _, name := range lines {
			k := keys[name]
			k.marked = k.marked || len(lines) > 1
			keys[name] = k
		}
		for _, b := range p.Bars {
			add(b.Group)
			if b.Group != "" && !slices.Contains(groups, b.Group) {
				k := keys[b.Group]
				k.pattern = len(groups)
				keys[b.Group] = k
				groups = append(groups, b.Group)
			}
		}
	}
	return keys
}

func (k key) line(m figure.Mark) draw.LineStyle {
	sty := draw.LineStyle{Color: k.colour, Width: 1.75}
	if m == figure.Dashed {
		sty.Dashes = []vg.Length{5, 3}
	} else if k.round > 0 {
		sty.Dashes = []vg.Length{9, 2, 2, 2}
	}
	return sty
}

func (k key) glyph(m figure.Mark) draw.GlyphStyle {
	sty := draw.GlyphStyle{Color: k.colour, Shape: k.shape, Radius: 3}
	if m != figure.Points && m != figure.LinePoints {
		sty.Shape, sty.Radius = draw.CircleGlyph{}, 1.5 // a point alone between two gaps of a line
	}
	return sty
}

// fill fills a bar: the groups of a figure fully, with stripes, lightly, and so on, so that they differ in grey.
func (k key) fill(c draw.Canvas, box vg.Rectangle) {
	switch k.pattern % 3 {
	case 0:
		c.FillPolygon(k.colour, corners(box))
	case 1:
		c.FillPolygon(color.White, corners(box))
		inside := draw.Canvas{Canvas: c.Canvas, Rectangle: box}
		tall := box.Size().Y
		for x := box.Min.X - tall; x < box.Max.X; x += 4 {
			inside.StrokeLines(draw.LineStyle{Color: k.colour, Width: 1.6}, inside.ClipLinesXY([]vg.Point{{X: x, Y: box.Min.Y}, {X: x + tall, Y: box.Max.Y}})...)
		}
	case 2:
		light := k.colour
		light.A = 0x70
		c.FillPolygon(color.White, corners(box))
		c.FillPolygon(light, corners(box))
	}
	c.StrokeLines(draw.LineStyle{Color: k.colour, Width: 0.75}, append(corners(box), box.Min))
}

func (k key) area() color.NRGBA {
	c := k.colour
	c.A = 0x40
	return c
}

// entry is a name in a legend with the marks that it has.
type entry struct {
	name string
	key  key
	mark figure.Mark // of the curve
	band bool
	area bool // no curve: a band or bars alone
}

// legend is the entries of a panel in rows.
type legend struct {
	entries []entry
	rows    [][]entry
}

const (
	thumb      = vg.Length(22)
	entryGap   = vg.Length(16)
	entryInner = vg.Length(5)
	entryLine  = vg.Length(14)
)

func newLegend(p figure.Panel, keys map[string]key, w vg.Length) legend {
	var l legend
	find := func(name string) *entry {
		i := slices.IndexFunc(l.entries, func(e entry) bool { return e.name == name })
		if i < 0 {
			i = len(l.entries)
			l.entries = append(l.entries, entry{name: name, key: keys[name], area: true})
		}
		return &l.entries[i]
	}
	for _, s := range p.Series {
		if s.Name == "" {
			continue
		}
		e := find(s.Name)
		if s.Mark == figure.Band {
			e.band = true
		} else {
			e.mark, e.area = s.Mark, false
		}
	}
	for _, b := range p.Bars {
		if b.Group != "" {
			find(b.Group).band = false
		}
	}
	return l.within(w)
}

// within returns l in rows that are no wider than w, where an entry allows it.
func (l legend) within(w vg.Length) legend {
	l.rows = nil
	used := vg.Length(0)
	for _, e := range l.entries {
		if n := len(l.rows); n == 0 || used+entryGap+e.width() > w {
			l.rows = append(l.rows, []entry{e})
			used = e.width()
		} else {
			l.rows[n-1] = append(l.rows[n-1], e)
			used += entryGap + e.width()
		}
	}
	return l
}

func (e entry) width() vg.Length { return thumb + entryInner + labelStyle.Width(e.name) }

func (l legend) height() vg.Length { return vg.Length(len(l.rows)) * entryLine }

func (l legend) draw(c draw.Canvas) {
	sty := labelStyle
	sty.YAlign = draw.YCenter
	for i, row := range l.rows {
		x, y := c.Min.X, c.Max.Y-(vg.Length(i)+0.5)*entryLine
		for _, e := range row {
			e.drawThumb(c, x, y)
			c.FillText(sty, vg.Point{X: x + thumb + entryInner, Y: y}, e.name)
			x += e.width() + entryGap
		}
	}
}

func (e entry) drawThumb(c draw.Canvas, x, y vg.Length) {
	box := vg.Rectangle{Min: vg.Point{X: x, Y: y - 4.5}, Max: vg.Point{X: x + thumb, Y: y + 4.5}}
	switch {
	case e.area && !e.band:
		box.Min.X += thumb / 2
		e.key.fill(c, box)
		return
	case e.band:
		c.FillPolygon(e.key.area(), corners(box))
	}
	if e.area {
		return
	}
	if e.mark != figure.Points {
		c.StrokeLine2(e.key.line(e.mark), x, y, x+thumb, y)
	}
	switch {
	case e.mark == figure.Points || e.mark == figure.LinePoints:
		c.DrawGlyphNoClip(e.key.glyph(e.mark), vg.Point{X: x + thumb/2, Y: y})
	case e.mark == figure.Line && e.key.marked:
		c.DrawGlyphNoClip(e.key.glyph(figure.LinePoints), vg.Point{X: x + thumb/2, Y: y})
	}
}
