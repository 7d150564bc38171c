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

// bars draws grouped bars, each with its value where it fits. On a logarithmic axis they stand on its lower end.
type bars struct {
	panel          figure.Panel
	keys           map[string]key
	labels, groups []string
}

const barShare = 0.8 // of the room between two labels

func addBars(plt *plot.Plot, p figure.Panel, keys map[string]key, w vg.Length) {
	b := bars{panel: p, keys: keys}
	for _, bar := range p.Bars {
		if !slices.Contains(b.labels, bar.Label) {
			b.labels = append(b.labels, bar.Label)
		}
		if !slices.Contains(b.groups, bar.Group) {
			b.groups = append(b.groups, bar.Group)
		}
	}
	g := grid()
	g.Vertical.Color = nil
	plt.Add(g, b)
	plt.X.Tick.LineStyle.Color = color.Transparent
	fitLabels(plt, b.labels, w)
}

func (b bars) Plot(c draw.Canvas, plt *plot.Plot) {
	x, y := plt.Transforms(&c)
	base := y(math.Max(plt.Y.Min, math.Min(plt.Y.Max, 0)))
	if b.panel.Y.Log {
		base = c.Min.Y
	}
	share := barShare / float64(len(b.groups))
	for _, bar := range b.panel.Bars {
		at := float64(slices.Index(b.labels, bar.Label)) - barShare/2 + share*float64(slices.Index(b.groups, bar.Group))
		top := max(c.Min.Y, min(c.Max.Y, y(bar.Value)))
		box := vg.Rectangle{Min: vg.Point{X: x(at) + 0.5, Y: min(base, top)}, Max: vg.Point{X: x(at+share) - 0.5, Y: max(base, top)}}
		if box.Size().Y > 0 {
			b.keys[bar.Group].fill(c, box)
		}

		sty := tickStyle
		sty.Color = ink
		sty.XAlign = draw.XCenter
		middle := vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: box.Max.Y + 2}
		if bar.Value < 0 {
			sty.YAlign, middle.Y = draw.YTop, box.Min.Y-2
		}
		for _, digits := range []int{3, 2} {
			if value := number(bar.Value, digits); sty.Width(value) <= x(at+share)-x(at)+1 {
				c.FillText(sty, middle, value)
				break
			}
		}
	}
	if !b.panel.Y.Log && plt.Y.Min < 0 {
		c.StrokeLine2(plt.X.LineStyle, c.Min.X, base, c.Max.X, base)
	}
}

// DataRange leaves room for the values.
func (b bars) DataRange() (xmin, xmax, ymin, ymax float64) {
	values := make([]float64, len(b.panel.Bars))
	for i, bar := range b.panel.Bars {
		values[i] = bar.Value
	}
	least, largest := extent(values)
	xmin, xmax = -0.5, float64(len(b.labels))-0.5
	if b.panel.Y.Log {
		ymin = math.Pow(10, math.Floor(math.Log10(least)-0.2))
		return xmin, xmax, ymin, largest * math.Pow(largest/ymin, 0.08)
	}
	ymin, ymax = math.Min(0, least), math.Max(0, largest)
	room := 0.08 * (ymax - ymin)
	if ymin < 0 {
		ymin -= room
	}
	if ymax > 0 {
		ymax += room
	}
	return xmin, xmax, ymin, ymax
}
