package figure

import (
	"fmt"
	"math"
	"slices"
)

// farthest is the largest magnitude that can be drawn: an axis ends a little beyond its values.
const farthest = 1e150

// near says whether a value has a place on an axis.
func near(v float64, log bool) bool { return math.Abs(v) <= farthest && (!log || v > 0) }

// drawable returns f without what cannot be drawn, and says what that is. A learner's code may have computed anything: f may be left
// without panels.
func (f Figure) drawable() (rest Figure, without []string) {
	rest = f
	rest.Panels = nil
	for i, p := range f.Panels {
		p, lost := p.drawable()
		if err := p.check(); err != nil {
			lost = append(lost, err.Error())
		} else {
			rest.Panels = append(rest.Panels, p)
		}
		for _, l := range lost {
			without = append(without, fmt.Sprintf("panel %d: %s", i, l))
		}
	}
	return rest, without
}

func (p Panel) drawable() (rest Panel, without []string) {
	rest = p
	rest.Series, rest.Bars = nil, nil
	for _, a := range []*Axis{&rest.X, &rest.Y} {
		if err := a.check(); err != nil {
			a.Min, a.Max = nil, nil
			without = append(without, err.Error())
		}
	}
	for i, s := range p.Series {
		s, lost := s.drawable(p.X.Log, p.Y.Log)
		if lost > 0 {
			without = append(without, fmt.Sprintf("series %d (%q): %d of its points", i, s.Name, lost))
		}
		if err := s.check(p.X.Log, p.Y.Log); err != nil {
			without = append(without, fmt.Sprintf("series %d (%q): %v", i, s.Name, err))
			continue
		}
		rest.Series = append(rest.Series, s)
	}
	for i, b := range p.Bars {
		if !near(b.Value, p.Y.Log) {
			without = append(without, fmt.Sprintf("bar %d (%q): its value is %v", i, b.Label, b.Value))
			continue
		}
		rest.Bars = append(rest.Bars, b)
	}
	if p.Heat != nil {
		h, lost := p.Heat.drawable()
		rest.Heat = &h
		without = append(without, lost...)
	}
	return rest, without
}

// drawable drops the points without a place along x, makes gaps of those without one along y, and says how many points that were no gaps it lost.
func (s Series) drawable(logX, logY bool) (rest Series, lost int) {
	if s.Mark == Band && (len(s.Low) != len(s.X) || len(s.High) != len(s.X)) || s.Mark != Band && len(s.Y) != len(s.X) {
		return s, 0 // check says so
	}
	rest = s
	rest.X, rest.Y, rest.Low, rest.High = nil, nil, nil, nil
	for i, x := range s.X {
		if !near(x, logX) {
			lost++
			continue
		}
		rest.X = append(rest.X, x)
		if s.Mark != Band {
			y := s.Y[i]
			if finite(y) && !near(y, logY) {
				y = math.NaN()
				lost++
			}
			rest.Y = append(rest.Y, y)
			continue
		}
		low, high := s.Low[i], s.High[i]
		if finite(low) && !near(low, logY) || finite(high) && !near(high, logY) || low > high {
			low, high = math.NaN(), math.NaN()
			lost++
		}
		rest.Low, rest.High = append(rest.Low, low), append(rest.High, high)
	}
	return rest, lost
}

// drawable makes empty cells of the values that have no colour.
func (h Heat) drawable() (rest Heat, without []string) {
	rest = h
	if err := (Axis{Min: h.Min, Max: h.Max}).check(); err != nil {
		rest.Min, rest.Max = nil, nil
		without = append(without, "colours: "+err.Error())
	}
	rest.Values = slices.Clone(h.Values)
	for i, row := range h.Values {
		rest.Values[i] = slices.Clone(row)
		for j, v := range row {
			if finite(v) && (!near(v, false) || h.unnamed(v)) {
				rest.Values[i][j] = math.NaN()
				without = append(without, fmt.Sprintf("row %d, column %d of the heat map: %v", i, j, v))
			}
		}
	}
	return rest, without
}
