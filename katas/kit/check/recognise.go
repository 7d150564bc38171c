package check

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// diagnose names the mistake: a particular one by its value, else a general one by its pattern in the first
// place that differs. It returns the empty string where it recognises none.
func (s *settings) diagnose(got any, tol Tol, diffs []difference) string {
	if s.viewed() {
		return ""
	}
	for _, m := range s.mistakes {
		if len(compare(got, m.value, tol)) == 0 {
			return m.says
		}
	}
	g, gok := blockOf(diffs[0].got)
	w, wok := blockOf(diffs[0].want)
	if !gok || !wok || !g.whole() {
		return ""
	}
	return recognise(g, w, tol, s.known, func(d float64) bool { return sightings.again(s.at, d, w) })
}

// sightings are the offsets that cases showed. One that a single case shows may be what is constant in that case alone, such as the one bias of its one
// channel.
var sightings offsets

type offsets struct {
	mu   sync.Mutex
	seen map[string][]sighting
}

type sighting struct {
	offset float64
	want   block
}

// again says whether another case of the same call, with other wanted values, showed this offset before.
func (o *offsets) again(call string, d float64, want block) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.seen[call] {
		if Rel(1e-6).agree(s.offset, d) && !s.want.agree(want, Rel(1e-6)) {
			return true
		}
	}
	if o.seen == nil {
		o.seen = map[string][]sighting{}
	}
	o.seen[call] = append(o.seen[call], sighting{d, block{want.shape, slices.Clone(want.data)}})
	return false
}

// viewed says whether an argument was a view of a larger matrix. Code that ignores the stride makes of it what may look like any other mistake.
func (s *settings) viewed() bool {
	for _, g := range s.given {
		if m, ok := g.passed.(*mat.Dense); ok && m != nil && m.RawMatrix().Stride > m.RawMatrix().Cols {
			return true
		}
	}
	return false
}

// recognise names the general mistake that turns want into got, if every value fits it to the tolerance. again says of an offset whether another
// case showed it too.
func recognise(got, want block, tol Tol, known []known, again func(offset float64) bool) string {
	if says := notFinite(got, want); says != "" {
		return says
	}
	if !telling(want.data, tol) {
		return ""
	}
	if says := transposed(got, want, tol); says != "" {
		return says
	}
	if !got.sameShape(want) {
		return ""
	}
	for _, look := range []func(got, want block, tol Tol) string{sign, factor, reversed, shifted} {
		if says := look(got, want, tol); says != "" {
			return says
		}
	}
	if says := perColumn(got, want, tol, known); says != "" {
		return says
	}
	return offset(got, want, tol, again)
}

// telling says whether values are enough, and different enough, for a pattern in them to mean something.
func telling(values []float64, tol Tol) bool {
	if len(values) < 6 {
		return false
	}
	var distinct []float64
	for _, v := range values {
		v = math.Abs(v)
		if v <= tol.Abs || slices.ContainsFunc(distinct, func(d float64) bool { return tol.times(1000).agree(v, d) }) {
			continue
		}
		if distinct = append(distinct, v); len(distinct) == 3 {
			return true
		}
	}
	return false
}

func notFinite(got, want block) string {
	if !got.sameShape(want) || len(got.data) < 2 {
		return ""
	}
	nan, inf := 0, 0
	for i, v := range got.data {
		if math.IsNaN(v) && !math.IsNaN(want.data[i]) {
			nan++
		}
		if math.IsInf(v, 0) && !math.IsInf(want.data[i], 0) {
			inf++
		}
	}
	switch {
	case nan > 0:
		return fmt.Sprintf("%d of %d values are NaN: look for 0/0, 0·∞, ∞−∞, ∞/∞, the root or logarithm of a negative number, or a NaN that an argument holds", nan, len(got.data))
	case inf > 0:
		return fmt.Sprintf("%d of %d values are infinite: look for a division by 0, log 0, an overflowing exponential", inf, len(got.data))
	}
	return ""
}

func sign(got, want block, tol Tol) string {
	if fits(got.data, want.data, tol, func(w float64) float64 { return -w }) {
		return "the sign is flipped: every value is −1 times the right one"
	}
	return ""
}

func factor(got, want block, tol Tol) string {
	c, ok := commonFactor(got.data, want.data, tol)
	switch {
	case !ok:
		return ""
	case c == 0:
		return "every value is 0"
	}
	return "every value is " + nameFactor(c, len(want.data)) + " times the right one"
}

// The factors that somebody may have lost or applied twice. One that is nearer to 1 is rounding, or a tolerance that was missed by a little; a smaller
// one is what rounding leaves of 0.
const (
	nearestFactor  = 1e-4 // from 1
	smallestFactor = 1e-6
	largestFactor  = 1e6
)

// commonFactor returns c where got = c·want throughout: 0 or a factor that a mistake may be.
func commonFactor(got, want []float64, tol Tol) (c float64, ok bool) {
	k := largest(want)
	if want[k] == 0 {
		return 0, false
	}
	c = got[k] / want[k]
	if a := math.Abs(c); !(a <= largestFactor) || a < smallestFactor && c != 0 || math.Abs(c-1) < nearestFactor {
		return 0, false
	}
	return c, fits(got, want, tol, func(w float64) float64 { return c * w })
}

// nameFactor writes c as a person would: 2, 1/3, √2, √(2/3), or as a decimal.
func nameFactor(c float64, n int) string {
	sign, a := "", c
	if c < 0 {
		sign, a = "−", -c
	}
	near := func(x, y float64) bool { return math.Abs(x-y) <= 1e-9*math.Abs(y) }
	if a >= 1 && near(a, math.Round(a)) {
		return fmt.Sprintf("%s%.0f", sign, a)
	}
	if a < 1 && near(1/a, math.Round(1/a)) {
		return fmt.Sprintf("%s1/%.0f", sign, 1/a)
	}
	for q := 1; q <= max(16, n); q++ {
		for _, form := range []struct {
			value  float64
			format string
		}{{a, "%s%.0f/%d"}, {a * a, "%s√(%.0f/%d)"}} {
			p := form.value * float64(q)
			if p >= 0.5 && p < 1000 && near(p, math.Round(p)) {
				if q == 1 {
					return fmt.Sprintf("%s√%.0f", sign, p)
				}
				return fmt.Sprintf(form.format, sign, p, q)
			}
		}
	}
	return sign + short(a)
}

func offset(got, want block, tol Tol, again func(d float64) bool) string {
	k := largest(want.data)
	d := got.data[k] - want.data[k]
	if !beyondNoise(d, want.data[k], tol) || !fits(got.data, want.data, tol, func(w float64) float64 { return w + d }) || !again(d) {
		return ""
	}
	if d > 0 {
		return "every value is " + short(d) + " too large"
	}
	return "every value is " + short(-d) + " too small"
}

// beyondNoise says whether an offset is more than what a tolerance that was missed by a little would give, and less than what swallows the values.
func beyondNoise(d, largest float64, tol Tol) bool {
	a := math.Abs(d)
	return a >= nearestFactor*math.Abs(largest) && a <= largestFactor*math.Abs(largest) && a > tol.times(1000).at(largest, largest)
}

func reversed(got, want block, tol Tol) string {
	turned := slices.Clone(want.data)
	slices.Reverse(turned)
	if !fits(got.data, turned, tol, same) {
		return ""
	}
	if len(want.shape) > 1 {
		return "the values are right but reversed, first for last, along every axis"
	}
	return "the values are right but in reverse order"
}

// shifted looks along the last axis, and along the first of a matrix.
func shifted(got, want block, tol Tol) string {
	last := want.shape[len(want.shape)-1]
	for _, by := range []struct {
		stride, length int
		what           string
	}{{1, last, "place"}, {last, len(want.data) / last, "row"}} {
		if by.length < 2 || by.what == "row" && len(want.shape) != 2 {
			continue
		}
		var g1, w1, g2, w2 []float64 // got[i] against want[i−1], and want[i] against got[i−1]
		for i := range want.data {
			if (i/by.stride)%by.length > 0 {
				g1, w1 = append(g1, got.data[i]), append(w1, want.data[i-by.stride])
				w2, g2 = append(w2, want.data[i]), append(g2, got.data[i-by.stride])
			}
		}
		switch {
		case telling(w1, tol) && fits(g1, w1, tol, same):
			return "the values are right but shifted by one " + by.what + ": each stands one too late"
		case telling(w2, tol) && fits(g2, w2, tol, same):
			return "the values are right but shifted by one " + by.what + ": each stands one too early"
		}
	}
	return ""
}

func transposed(got, want block, tol Tol) string {
	if len(want.shape) != 2 || len(got.data) != len(want.data) || len(got.shape) != 2 {
		return ""
	}
	r, c := want.shape[0], want.shape[1]
	if r == 1 || c == 1 {
		return ""
	}
	turned := make([]float64, 0, r*c)
	for j := range c {
		for i := range r {
			turned = append(turned, want.data[i*c+j])
		}
	}
	if !fits(got.data, turned, tol, same) || fits(got.data, want.data, tol, same) {
		return ""
	}
	return "the matrix is transposed: rows and columns are exchanged"
}

// perColumn looks for a factor or an offset of its own for each column of a matrix, or for each value of a
// vector where something known names it.
func perColumn(got, want block, tol Tol, known []known) string {
	rows, columns := 1, want.shape[len(want.shape)-1]
	if len(want.shape) == 2 {
		rows = want.shape[0]
	} else if len(want.shape) != 1 {
		return ""
	}
	for _, k := range known {
		if len(k.values.data) != columns {
			continue
		}
		for _, form := range []struct {
			f    func(w, v float64) float64
			says string
		}{
			{func(w, v float64) float64 { return w * v }, "every column is multiplied by %s once too often"},
			{func(w, v float64) float64 { return w / v }, "every column lacks the factor %s, or is divided by it"},
			{func(w, v float64) float64 { return w + v }, "%s is added once too often"},
			{func(w, v float64) float64 { return w - v }, "%s is not added, or is subtracted"},
		} {
			predicted := make([]float64, len(want.data))
			for i, w := range want.data {
				predicted[i] = form.f(w, k.values.data[i%columns])
			}
			if telling(predicted, tol) && fits(got.data, predicted, tol, same) {
				return fmt.Sprintf(form.says, k.name)
			}
		}
	}
	if rows < 3 || columns < 2 {
		return ""
	}
	factors, offsets, alike := true, true, true
	first := got.data[0] - want.data[0]
	for j := range columns {
		g, w := column(got, j), column(want, j)
		if !telling3(w, tol) {
			return ""
		}
		if _, ok := commonFactor(g, w, tol); !ok {
			factors = false
		}
		d := g[0] - w[0]
		alike = alike && Rel(1e-6).agree(d, first)
		offsets = offsets && beyondNoise(d, w[largest(w)], tol) && fits(g, w, tol, func(v float64) float64 { return v + d })
	}
	switch {
	case factors:
		return "every column is off by a constant factor of its own"
	case offsets && !alike:
		return "every column is off by a constant of its own"
	}
	return ""
}

// telling3 says whether a column has three values that differ: with two, any factor and offset would fit.
func telling3(values []float64, tol Tol) bool {
	var distinct []float64
	for _, v := range values {
		if !slices.ContainsFunc(distinct, func(d float64) bool { return tol.times(1000).agree(v, d) }) {
			distinct = append(distinct, v)
		}
	}
	return len(distinct) >= 3
}

func column(b block, j int) []float64 {
	var c []float64
	for i := j; i < len(b.data); i += b.shape[1] {
		c = append(c, b.data[i])
	}
	return c
}

func same(v float64) float64 { return v }

// fits says whether got = f(want) throughout.
func fits(got, want []float64, tol Tol, f func(float64) float64) bool {
	for i, w := range want {
		if !tol.agree(got[i], f(w)) {
			return false
		}
	}
	return true
}

// largest returns the index of the largest finite magnitude.
func largest(values []float64) int {
	k := 0
	for i, v := range values {
		if a := math.Abs(v); a > math.Abs(values[k]) && !math.IsInf(a, 0) {
			k = i
		}
	}
	return k
}
