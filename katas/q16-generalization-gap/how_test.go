package generalization_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	generalization "whyhow/katas/q16-generalization-gap"
)

// holds checks a condition; says names the mistake if it does not hold.
func holds(t *testing.T, what string, condition bool, says string) bool {
	t.Helper()
	if says == "" {
		return check.Equal(t, what, condition, true, check.Exact)
	}
	return check.Equal(t, what, condition, true, check.Exact, check.Mistake(false, says))
}

// upTo returns 0…n−1.
func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func sorted(index []int) []int {
	return slices.Sorted(slices.Values(index))
}

// draws is how often a random choice is made to see its chances.
const draws = 600

func sum(index []int) (total int) {
	for _, i := range index {
		total += i
	}
	return total
}

// slightly returns what a chance says that is off by less than limit: other mistakes than a poor shuffle are off by more.
func slightly(off, limit float64, says string) string {
	if off < limit {
		return says
	}
	return ""
}

// farthest draws sets of rows 60,000 times, of which there are as many as kinds says, and returns how far off the number of one is from the mean.
func farthest(kinds int, draw func() []int) float64 {
	const times = 60000
	counts := map[int]int{}
	for range times {
		set := 0
		for _, row := range draw() {
			set |= 1 << row
		}
		counts[set]++
	}
	far := 0.
	for _, n := range counts {
		far = max(far, math.Abs(float64(n)-times/float64(kinds)))
	}
	return far
}

func TestSplit(t *testing.T) {
	defer check.Rescue(t)
	splits := []struct {
		n          int
		validation float64
		val        int
	}{{10, 0.25, 3}, {7, 0.3, 2}, {11, 0.7, 8}, {40, 0.2, 8}, {6, 0, 0}, {6, 1, 6}, {0, 0.5, 0}, {3, 0.5 - 1e-9, 1}, {1, 0.5, 1}, {1, 0.25, 0}, {10, 0.04, 0}, {10, 0.96, 10}}
	fits := t.Run("sizes", func(t *testing.T) {
		defer check.Rescue(t)
		sizes, want, floor, ceil, swapped := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
		for _, c := range splits {
			call := fmt.Sprintf("Split(%d, %.10g, rng) len(val)", c.n, c.validation)
			rng, same := check.Rand(t), true
			_, val := generalization.Split(c.n, c.validation, rng)
			for range 10 {
				_, again := generalization.Split(c.n, c.validation, rng)
				same = same && len(again) == len(val)
			}
			if !holds(t, call+" is the same each time", same, "you drew for each row by itself: how many are held out is then left to chance") {
				return
			}
			product := float64(c.n) * c.validation
			sizes[call], want[call], floor[call], ceil[call], swapped[call] = len(val), c.val, int(product), int(math.Ceil(product)), c.n-c.val
		}
		check.Equal(t, "how many rows are held out", sizes, want, check.Exact, check.Why("round(n·validation) rows, halves away from zero"),
			check.Mistake(floor, "you cut the fraction off: round n·validation"), check.Mistake(ceil, "you rounded up: round n·validation to the nearest"),
			check.Mistake(swapped, "you took validation for the share to train on: it is the share held out"))
	})
	for _, c := range splits {
		fits = t.Run(fmt.Sprintf("%d rows, validation %v", c.n, c.validation), func(t *testing.T) {
			defer check.Rescue(t)
			train, val := generalization.Split(c.n, c.validation, check.Rand(t))
			if len(val) != c.val {
				return // named above
			}
			call := fmt.Sprintf("Split(%d, %v, rng)", c.n, c.validation)
			leaked := slices.ContainsFunc(val, func(i int) bool { return slices.Contains(train, i) })
			if !holds(t, call+" keeps train and val apart", !leaked, "you left validation rows in the training set: their loss is then a training loss") {
				return
			}
			check.Equal(t, call+" all indices, sorted", sorted(slices.Concat(train, val)), upTo(c.n), check.Exact, check.Why("each row is in one of the two"))
		}) && fits
	}
	anywhere := t.Run("order", func(t *testing.T) {
		defer check.Rescue(t)
		seed := check.Rand(t).Uint64()
		held := func(stream uint64) []int {
			_, val := generalization.Split(60, 0.5, rand.New(rand.NewPCG(seed, stream)))
			return sorted(val)
		}
		val := held(1)
		// 60 rows have 10¹⁷ halves.
		ends := slices.Equal(val, upTo(30)) || slices.Equal(val, upTo(60)[30:])
		if holds(t, "Split holds out rows from everywhere", !ends, "you held out one end of the file: files are often sorted, by class or by time of recording") {
			v := held(6)
			run := 0 // gaps between neighbours, around the end of the file
			for i := range v {
				if (v[(i+1)%len(v)]-v[i]+60)%60 != 1 {
					run++
				}
			}
			holds(t, "Split holds out more than one run of rows", run > 1, "you held out one run of neighbouring rows, wherever it begins: pick each row at random")
			holds(t, "Split with the same rng twice holds out the same rows", slices.Equal(val, held(1)), "you split with another source of randomness than rng")
			holds(t, "Split with another rng holds out other rows", !slices.Equal(val, held(4)), "you split the same way whatever rng is: seed no generator of your own")
		}
	})
	t.Run("chances", func(t *testing.T) {
		defer check.Rescue(t)
		if !fits || !anywhere {
			return // named above
		}
		rng, held, together := check.Rand(t), make([]int, 4), map[string]int{}
		for range draws {
			_, val := generalization.Split(4, 0.5, rng)
			for _, i := range val {
				held[i]++
			}
			together[fmt.Sprint(sorted(val))]++
		}
		// Each row is held out 300 ± 12 times, each of the 6 pairs 100 ± 9 times: over 200 seeds 257…338 and 74…131.
		fixed := slices.Min(held) == 0 || slices.Max(held) == draws
		if holds(t, "Split holds out each of 4 rows sometimes, not always", !fixed, "you hold out one row every time, or never: each has the same chance, the first and the last too") &&
			holds(t, "Split holds out each pair of 4 rows sometimes", len(together) == 6, "you never hold out some rows together: a shuffle that leaves no row in its place is none at random") {
			counts := slices.Collect(maps.Values(together))
			even := slices.Min(held) > 220 && slices.Max(held) < 380 && slices.Min(counts) > 45 && slices.Max(counts) < 155
			if !holds(t, "Split holds out all rows, and all pairs, about as often", even, "you hold out some rows more often than others") {
				return
			}
			// Each pair 10,000 ± 91 times. A shuffle that exchanges each place with any other is off by 1,200 and more for two of them.
			far := farthest(6, func() []int {
				_, val := generalization.Split(4, 0.5, rng)
				return val
			})
			holds(t, "Split holds out each pair of 4 rows in a sixth of 60,000 draws", far < 620, slightly(far, 2500,
				"you hold out some pairs of rows a little more often than others: a shuffle exchanges a place with one of those not yet dealt with, itself among them"))
		}
	})
	t.Run("bad arguments of Split", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		check.Panics(t, "Split(-1, 0.5, rng)", func() { generalization.Split(-1, 0.5, rng) })
		check.Panics(t, "Split(8, 1.25, rng)", func() { generalization.Split(8, 1.25, rng) })
		check.Panics(t, "Split(8, -0.25, rng)", func() { generalization.Split(8, -0.25, rng) })
		check.Panics(t, "Split(8, NaN, rng)", func() { generalization.Split(8, math.NaN(), rng) })
	})

	dealt := true
	for _, c := range []struct {
		n, k  int
		sizes []int // sorted
	}{{12, 3, []int{4, 4, 4}}, {10, 4, []int{2, 2, 3, 3}}, {23, 5, []int{4, 4, 5, 5, 5}}, {3, 3, []int{1, 1, 1}}, {5, 2, []int{2, 3}}, {2, 2, []int{1, 1}}} {
		dealt = t.Run(fmt.Sprintf("%d rows in %d folds", c.n, c.k), func(t *testing.T) {
			defer check.Rescue(t)
			folds := generalization.KFold(c.n, c.k, check.Rand(t))
			var sizes []int
			for _, fold := range folds {
				sizes = append(sizes, len(fold))
			}
			slices.Sort(sizes)
			opts := []check.Option{check.Why("every fold has n/k rows, rounded up or down")}
			if c.k > 2 {
				training := slices.Clone(c.sizes)
				for i, size := range slices.Backward(c.sizes) {
					training[c.k-1-i] = c.n - size
				}
				opts = append(opts, check.Mistake(training, "you returned what remains to train on: a fold is what is held out"))
			}
			if rest := c.n % c.k; rest != 0 {
				short := slices.Repeat([]int{c.n / c.k}, c.k)
				heavy := slices.Clone(short)
				heavy[c.k-1] += rest
				opts = append(opts, check.Mistake(short, "you dropped the rows that are left over when k does not divide n"))
				if rest > 1 {
					opts = append(opts, check.Mistake(heavy, "you put all that is left over into one fold: the sizes differ by one at most"))
				}
				if up := c.n/c.k + 1; up*(c.k-1) < c.n-c.n/c.k { // folds of ⌈n/k⌉, and a last one of what is left
					uneven := append([]int{c.n - up*(c.k-1)}, slices.Repeat([]int{up}, c.k-1)...)
					opts = append(opts, check.Mistake(uneven, "you filled folds of ⌈n/k⌉ and left the last one short"))
				}
			}
			call := fmt.Sprintf("KFold(%d, %d, rng)", c.n, c.k)
			if check.Equal(t, call+" sizes, sorted", sizes, c.sizes, check.Exact, opts...) {
				check.Equal(t, call+" all indices, sorted", sorted(slices.Concat(folds...)), upTo(c.n), check.Exact, check.Why("each row is held out exactly once"))
			}
		}) && dealt
	}
	t.Run("order of folds", func(t *testing.T) {
		defer check.Rescue(t)
		seed := check.Rand(t).Uint64()
		folds := func(stream uint64) [][]int { return generalization.KFold(60, 3, rand.New(rand.NewPCG(seed, stream))) }
		first := folds(2)
		apart := func(step int) bool { // a fold whose rows follow each other by step
			return slices.ContainsFunc(first, func(fold []int) bool {
				s := sorted(fold)
				for i := range s {
					if s[i] != s[0]+i*step {
						return false
					}
				}
				return true
			})
		}
		if holds(t, "KFold shuffles", !apart(1) && !apart(3), "you left the rows in their order: shuffle before you deal them out") {
			holds(t, "KFold with the same rng twice gives the same folds", slices.EqualFunc(first, folds(2), slices.Equal[[]int]), "you dealt with another source of randomness than rng")
			holds(t, "KFold with another rng gives other folds", !slices.EqualFunc(first, folds(5), slices.Equal[[]int]), "you dealt the same way whatever rng is: seed no generator of your own")
		}
		rng := check.Rand(t)
		if dealt && !t.Failed() {
			with := make([]int, 4) // which row shares row 0's fold
			for range draws {
				for _, fold := range generalization.KFold(4, 2, rng) {
					if slices.Contains(fold, 0) {
						with[sum(fold)]++
					}
				}
			}
			// Each 200 ± 12 times: over 200 seeds 159…239.
			even := holds(t, "KFold puts row 0 with each of the other 3 as often", slices.Min(with[1:]) > 130 && slices.Max(with[1:]) < 270,
				"you put some rows into one fold more often than others, or never: every division has the same chance")
			if even {
				// The fold of two of 5 rows: each pair 6,000 ± 73 times. A shuffle that exchanges each place with any other is off by 700 and more for one.
				far := farthest(10, func() []int {
					folds := generalization.KFold(5, 2, rng)
					if len(folds[0]) == 2 {
						return folds[0]
					}
					return folds[1]
				})
				holds(t, "KFold puts each pair of 5 rows into the fold of two in a tenth of 60,000 draws", far < 480, slightly(far, 1500,
					"you put some pairs of rows into one fold a little more often than others: a shuffle exchanges a place with one of those not yet dealt with, itself among them"))
			}
		}
		check.Panics(t, "KFold(5, 1, rng)", func() { generalization.KFold(5, 1, rng) })
		check.Panics(t, "KFold(5, 6, rng)", func() { generalization.KFold(5, 6, rng) })
		check.Panics(t, "KFold(5, 0, rng)", func() { generalization.KFold(5, 0, rng) })
		check.Panics(t, "KFold(5, -1, rng)", func() { generalization.KFold(5, -1, rng) })
		check.Panics(t, "KFold(1, 1, rng)", func() { generalization.KFold(1, 1, rng) })
	})

	t.Run("gap", func(t *testing.T) {
		defer check.Rescue(t)
		if check.Equal(t, "Gap(0.25, 1)", generalization.Gap(0.25, 1), 0.75, check.Rel(1e-12), check.Why("positive where the validation loss is the greater"),
			check.Mistake(-0.75, "you took the validation loss from the training loss: it is the other way round"),
			check.Mistake(4.0, "you divided the losses: the gap is a difference"),
			check.Mistake(3.0, "you divided by the training loss: the gap keeps the unit of the loss")) {
			check.Equal(t, "Gap(0.1, 0.3)", generalization.Gap(0.1, 0.3), 0.2, check.Rel(1e-12))
			check.Equal(t, "Gap(1, 0.25)", generalization.Gap(1, 0.25), -0.75, check.Rel(1e-12), check.Why("a gap may be negative, and that is worth seeing"),
				check.Mistake(0.75, "you took the magnitude: a negative gap is a finding"),
				check.Mistake(0.0, "you cut the gap off at 0: a negative gap is a finding"))
		}
	})
	check.Independent(t, "Split(n, validation, rng)", generalization.Split, check.Args{10, 0.3, check.Seed(1)}, check.Args{12, 0.5, check.Seed(2)})
	check.Independent(t, "KFold(n, k, rng)", generalization.KFold, check.Args{9, 4, check.Seed(1)}, check.Args{11, 3, check.Seed(2)})
	check.Independent(t, "Gap(train, validation)", generalization.Gap, check.Args{0.5, 0.75}, check.Args{0.25, 1})
}

type dropoutCase struct {
	Name              string
	X, Kept, Mask, DY check.Array
	DX                check.Array
	Drop              float64
}

// combine applies f element by element.
func combine(a, b *mat.Dense, f func(a, b float64) float64) *mat.Dense {
	out := mat.DenseCopyOf(a)
	out.Apply(func(i, j int, v float64) float64 { return f(v, b.At(i, j)) }, a)
	return out
}

func TestDropout(t *testing.T) {
	defer check.Rescue(t)
	drawn := t.Run("mask", dropoutMask)
	for _, c := range check.Golden[dropoutCase](t, "dropout") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			if !drawn {
				return // y is wrong where its mask is, and the mask was named
			}
			x, kept := c.X.Dense(), c.Kept.Dense()
			passed := check.Copy(x)
			y, mask := generalization.Dropout(passed, c.Drop, true, check.Rand(t))
			if !check.Equal(t, "Dropout(x, drop, true, rng) shape of the mask", shape(mask), shape(x), check.Exact) {
				return
			}
			times := func(a, b float64) float64 { return a * b }
			masked := combine(x, mask, times)
			scaled := func(k float64) *mat.Dense {
				return combine(masked, masked, func(v, _ float64) float64 { return k * v })
			}
			check.Equal(t, "Dropout(x, drop, true, rng) y", y, combine(kept, mask, times), check.Rel(1e-9),
				check.Kept("x", passed, x), check.With("drop", c.Drop), check.With("mask", mask),
				check.Why("scaled so that, over all masks, the mean of y is x"),
				check.Mistake(masked, "you did not scale what is kept: y is then too small on average, and evaluation would have to make up for it"),
				check.Mistake(kept, "you scaled every value: what the mask drops is 0"),
				check.Mistake(x, "you returned x: apply the mask, and scale"),
				check.Mistake(scaled(1-c.Drop), "you multiplied by 1 − drop: divide by it"),
				check.Mistake(scaled(1/c.Drop), "you divided by drop: the share that is kept is 1 − drop"))

			passed = check.Copy(x)
			y, mask = generalization.Dropout(passed, c.Drop, false, check.Rand(t))
			nonzero := combine(x, y, func(_, y float64) float64 { return y })
			zeros := slices.Contains(nonzero.RawMatrix().Data, 0)
			if holds(t, "Dropout(x, drop, false, rng) drops nothing", !zeros, "you dropped values in evaluation mode") {
				check.Equal(t, "Dropout(x, drop, false, rng) y", y, x, check.Rel(1e-9), check.Kept("x", passed, x), check.With("drop", c.Drop),
					check.Why("inverted dropout leaves nothing to do in evaluation mode"),
					check.Mistake(combine(x, x, func(v, _ float64) float64 { return v * (1 - c.Drop) }), "you scaled by 1 − drop in evaluation mode: inverted dropout scales in training"),
					check.Mistake(kept, "you scaled in evaluation mode too"))
				holds(t, "Dropout(x, drop, false, rng) mask is nil", mask == nil, "you returned a mask in evaluation mode: nothing was drawn")
				passed.Set(0, 0, 100)
				holds(t, "Dropout(x, drop, false, rng) y is a copy", y.At(0, 0) != 100, "you returned x itself: y must be a copy")
			}
		})
		t.Run(c.Name+", backward", func(t *testing.T) {
			defer check.Rescue(t)
			dy, mask, want := c.DY.Dense(), c.Mask.Dense(), c.DX.Dense()
			passedDY, passedMask := check.Copy(dy), check.Copy(mask)
			dx := generalization.DropoutBackward(passedDY, passedMask, c.Drop)
			if holds(t, "DropoutBackward(dy, mask, drop) uses the mask of the forward pass", !otherMask(dx, dy, mask, c.Drop),
				"you drew a fresh mask: the gradient flows where the forward pass let values through") {
				if check.Equal(t, "DropoutBackward(dy, mask, drop)", dx, want, check.Rel(1e-9), check.Kept("dy", passedDY, dy), check.Kept("mask", passedMask, mask),
					check.With("drop", c.Drop), check.Why("∂y/∂x is the mask times the scale of the forward pass"),
					check.Mistake(combine(dy, mask, func(g, m float64) float64 { return g * m }), "you left the scale 1/(1 − drop) out of the gradient"),
					check.Mistake(combine(dy, mask, func(g, _ float64) float64 { return g / (1 - c.Drop) }), "you left the mask out: what was dropped gets no gradient"),
					check.Mistake(combine(dy, mask, func(g, m float64) float64 { return g * m * (1 - c.Drop) }), "you multiplied the gradient by 1 − drop: divide by it"),
					check.Mistake(combine(dy, mask, func(g, m float64) float64 { return g * m / c.Drop }), "you divided the gradient by drop: the share that is kept is 1 − drop"),
					check.Mistake(combine(dy, mask, func(g, m float64) float64 { return g * (1 - m) / (1 - c.Drop) }), "you turned the mask round: 1 is kept")) {
					x := c.X.Dense()
					check.Gradient(t, "DropoutBackward(dy, mask, drop)", dx, x, func() float64 {
						return mat.Sum(combine(combine(x, mask, func(x, m float64) float64 { return x * m / (1 - c.Drop) }), dy, func(y, g float64) float64 { return y * g }))
					})
				}
			}
		})
	}
	t.Run("drop 0", func(t *testing.T) {
		defer check.Rescue(t)
		x := mat.NewDense(2, 3, []float64{1, -2, 3, 4, -5, 6})
		y, mask := generalization.Dropout(check.Copy(x), 0, true, check.Rand(t))
		check.Equal(t, "Dropout(x, 0, true, rng) y", y, x, check.Rel(1e-12))
		check.Equal(t, "DropoutBackward(dy, mask, 0)", generalization.DropoutBackward(check.Copy(x), mat.NewDense(2, 3, []float64{1, 1, 1, 1, 1, 1}), 0), x, check.Rel(1e-12))
		check.Equal(t, "Dropout(x, 0, true, rng) mask", mask, mat.NewDense(2, 3, []float64{1, 1, 1, 1, 1, 1}), check.Exact)
	})
	t.Run("bad arguments of Dropout", func(t *testing.T) {
		defer check.Rescue(t)
		x, rng := mat.NewDense(2, 3, nil), check.Rand(t)
		for _, drop := range []float64{1, -0.25, 1.5, math.NaN()} {
			check.Panics(t, fmt.Sprintf("Dropout with drop %v", drop), func() { generalization.Dropout(x, drop, true, rng) })
		}
		for _, drop := range []float64{1, -0.25, 1.5, math.NaN()} {
			check.Panics(t, fmt.Sprintf("Dropout with drop %v, not in training,", drop), func() { generalization.Dropout(x, drop, false, rng) })
			check.Panics(t, fmt.Sprintf("DropoutBackward with drop %v", drop), func() { generalization.DropoutBackward(x, x, drop) })
		}
		for _, mask := range []*mat.Dense{mat.NewDense(3, 2, nil), mat.NewDense(1, 3, nil), mat.NewDense(3, 3, nil), mat.NewDense(2, 2, nil), mat.NewDense(2, 4, nil)} {
			check.Panics(t, fmt.Sprintf("DropoutBackward of 2×3 and a mask of %v", shape(mask)), func() { generalization.DropoutBackward(x, mask, 0.5) })
		}
	})
	rng := check.Rand(t)
	draw := func() *mat.Dense { return mat.NewDense(4, 5, check.Normal(rng, 20, 1)) }
	x, other := draw(), draw()
	check.Independent(t, "Dropout(x, drop, true, rng)", generalization.Dropout, check.Args{x, 0.5, true, check.Seed(1)}, check.Args{other, 0.25, true, check.Seed(2)})
	check.Independent(t, "Dropout(x, 0, true, rng)", generalization.Dropout, check.Args{x, 0, true, check.Seed(1)}, check.Args{other, 0, true, check.Seed(1)})
	check.Independent(t, "Dropout(x, drop, false, rng)", generalization.Dropout, check.Args{x, 0.5, false, check.Seed(1)}, check.Args{other, 0.5, false, check.Seed(1)})
	mask, otherMask := mat.NewDense(4, 5, nil), mat.NewDense(4, 5, nil)
	for i := range 4 {
		mask.Set(i, i, 1)
		otherMask.Set(i, i+1, 1)
	}
	check.Independent(t, "DropoutBackward(dy, mask, drop)", generalization.DropoutBackward, check.Args{x, mask, 0.5}, check.Args{other, otherMask, 0.25})
}

func shape(m *mat.Dense) []int {
	if m == nil {
		return nil
	}
	rows, columns := m.Dims()
	return []int{rows, columns}
}

// otherMask says whether dx is dy, scaled or not, under a mask that is neither mask nor its reverse.
func otherMask(dx, dy, mask *mat.Dense, drop float64) bool {
	if !slices.Equal(shape(dx), shape(dy)) {
		return false
	}
	same, reverse, zeros := true, true, 0
	for i, got := range dx.RawMatrix().Data {
		g, m := dy.RawMatrix().Data[i], mask.RawMatrix().Data[i]
		near := func(want float64) bool { return math.Abs(got-want) < 1e-9*math.Abs(g) }
		if got != 0 && !near(g) && !near(g/(1-drop)) {
			return false
		}
		same, reverse = same && (got == 0) == (m == 0), reverse && (got == 0) == (m == 1)
		if got == 0 {
			zeros++
		}
	}
	return zeros > 0 && zeros < len(dx.RawMatrix().Data) && !same && !reverse
}

// dropoutMask draws 3,000 masks' values: a share is off by 0.05 with a chance below 10⁻⁷.
func dropoutMask(t *testing.T) {
	defer check.Rescue(t)
	const rows, columns, drop, near = 60, 50, 0.3, 0.05
	x := mat.NewDense(rows, columns, nil)
	x.Apply(func(int, int, float64) float64 { return 1 }, x)
	seed := check.Rand(t).Uint64()
	rng := rand.New(rand.NewPCG(seed, 3))
	draw := func(rng *rand.Rand) *mat.Dense {
		_, mask := generalization.Dropout(check.Copy(x), drop, true, rng)
		if mask == nil {
			return nil
		}
		return mat.DenseCopyOf(mask) // whether its memory is used again is asked below
	}
	mask := draw(rng)
	if !check.Equal(t, "shape of the mask", shape(mask), shape(x), check.Exact) {
		return
	}
	values := mask.RawMatrix().Data
	binary := !slices.ContainsFunc(values, func(v float64) bool { return v != 0 && v != 1 })
	if !holds(t, "the mask holds 0 and 1", binary, "you put something else than 0 and 1 into the mask: the scale is not part of it") {
		return
	}
	var byRow, byColumn int // rows, columns of one value
	for i := range rows {
		if s := floats.Sum(mask.RawRowView(i)); s == 0 || s == columns {
			byRow++
		}
	}
	for j := range columns {
		if s := floats.Sum(mat.Col(nil, j, mask)); s == 0 || s == rows {
			byColumn++
		}
	}
	share := floats.Sum(values) / (rows * columns)
	switch {
	case byRow == rows:
		holds(t, "the mask varies within a row", false, "you drew one mask value a row: each value is dropped by itself")
	case byColumn == columns:
		holds(t, "the mask varies within a column", false, "you drew one mask for all rows: each value is dropped by itself")
	case !holds(t, "the share of 1 is not drop", math.Abs(share-drop) > near, "you kept with probability drop: it is the probability of 0"):
	case !holds(t, "the share of 1 is 1 − drop", math.Abs(share-(1-drop)) < near, "you keep another share than 1 − drop"):
	case !holds(t, "a second mask differs", !mat.Equal(mask, draw(rng)), "you drew the same mask twice: every call draws afresh"):
	case !holds(t, "the number of 1 varies", !sameCount(mask, func() *mat.Dense { return draw(rng) }), "you dropped an exact number of values: each is dropped by itself"):
	case !holds(t, "each value of a 2×3 matrix is dropped sometimes, and not always", everywhere(rng, []float64{1, 1, 1, 1, 1, 1}), "you never drop some value, or always: the first and the last have the same chance as the others"):
	case !holds(t, "each value of a 2×3 matrix, whatever it is, is dropped sometimes, and not always", everywhere(rng, []float64{1, 0, -1, 0, 1e9, -1e-9}),
		"you let the values of x decide what is dropped: each has the same chance, 0 too"):
	case !holds(t, "a drop of 0.005, and one of 0.995, are taken as they are", fine(rng), "you took drop for another one where it is near 0 or 1: no share is too small"):
	default:
		again := draw(rand.New(rand.NewPCG(seed, 3)))
		holds(t, "the same rng gives the same mask", mat.Equal(mask, again), "you drew the mask from another source of randomness than rng")
	}
}

// everywhere says whether each place is dropped in about a quarter of the draws: 150 ± 11 of 600, over 200 seeds 113…181.
func everywhere(rng *rand.Rand, values []float64) bool {
	dropped := make([]int, 6)
	for range draws {
		_, mask := generalization.Dropout(mat.NewDense(2, 3, slices.Clone(values)), 0.25, true, rng)
		for i := range dropped {
			if mask.At(i/3, i%3) == 0 {
				dropped[i]++
			}
		}
	}
	return slices.Min(dropped) > 80 && slices.Max(dropped) < 220
}

// fine says whether about 200 of 40,000 values are dropped where drop is 0.005, and kept where it is 0.995: 200 ± 14.
func fine(rng *rand.Rand) bool {
	for _, drop := range []float64{0.005, 0.995} {
		_, mask := generalization.Dropout(mat.NewDense(200, 200, nil), drop, true, rng)
		rare := mat.Sum(mask)
		if drop < 0.5 {
			rare = 40000 - rare
		}
		if rare < 100 || rare > 300 {
			return false
		}
	}
	return true
}

// sameCount says whether five more masks hold as many 1 as mask: by chance once in 10⁹ times.
func sameCount(mask *mat.Dense, draw func() *mat.Dense) bool {
	for range 5 {
		if mat.Sum(draw()) != mat.Sum(mask) {
			return false
		}
	}
	return true
}

type shiftCase struct {
	Name         string
	Image, Out   check.Array
	Side, DX, DY int
}

func TestShift(t *testing.T) {
	defer check.Rescue(t)
	got, want, slips := map[string][]float64{}, map[string][]float64{}, map[string]map[string][]float64{}
	var kept []check.Option
	for _, c := range check.Golden[shiftCase](t, "shift") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			image := c.Image.Floats()
			// from builds an image whose pixel at (row, column) is read where at says; −1 is a zero.
			from := func(at func(row, column int) int) []float64 {
				out := make([]float64, len(image))
				for i := range out {
					if j := at(i/c.Side, i%c.Side); j >= 0 && j < len(image) {
						out[i] = image[j]
					}
				}
				return out
			}
			moved := func(dx, dy int) []float64 {
				return from(func(row, column int) int {
					if row -= dy; row < 0 || row >= c.Side {
						return -1
					}
					if column -= dx; column < 0 || column >= c.Side {
						return -1
					}
					return row*c.Side + column
				})
			}
			wrap := func(i int) int { return (i + c.Side) % c.Side }
			clamp := func(i int) int { return min(max(i, 0), c.Side-1) }
			passed, call := check.Copy(image), fmt.Sprintf("%s: Shift(image, %d, %d, %d)", c.Name, c.Side, c.DX, c.DY)
			slip := func(says string, wrong []float64) {
				if slips[says] == nil {
					slips[says] = map[string][]float64{}
				}
				slips[says][call] = wrong
			}
			slip("you moved the other way: positive is to the right and down", moved(-c.DX, -c.DY))
			slip("you took positive dx for left: it is to the right", moved(-c.DX, c.DY))
			slip("you took positive dy for up: it is down", moved(c.DX, -c.DY))
			slip("you took dx for rows: dx moves along a row", moved(c.DY, c.DX))
			slip("you let what leaves on one side come in on the other: zeros come in", from(func(row, column int) int { return wrap(row-c.DY)*c.Side + wrap(column-c.DX) }))
			slip("you repeated the edge: zeros come in", from(func(row, column int) int { return clamp(row-c.DY)*c.Side + clamp(column-c.DX) }))
			slip("you let pixels leave a row and enter the next: check the column too", from(func(row, column int) int { return (row-c.DY)*c.Side + column - c.DX }))
			got[call], want[call] = generalization.Shift(passed, c.Side, c.DX, c.DY), c.Out.Floats()
			kept = append(kept, check.Kept("image of "+c.Name, passed, image))
		})
	}
	opts := append([]check.Option{check.Why("zeros come in where the image has moved away")}, kept...)
	for says, wrong := range slips {
		opts = append(opts, check.Mistake(wrong, says))
	}
	check.Equal(t, "Shift of each image", got, want, check.Rel(1e-12), opts...)
	t.Run("not at all, out of sight", func(t *testing.T) {
		defer check.Rescue(t)
		image := []float64{1, 2, 3, 4}
		passed := check.Copy(image)
		got := generalization.Shift(passed, 2, 0, 0)
		if check.Equal(t, "Shift(image, 2, 0, 0)", got, image, check.Exact) {
			got[0] = 9
			holds(t, "Shift(image, 2, 0, 0) is a copy", passed[0] != 9, "you returned the image itself: the result must be a copy")
		}
		check.Equal(t, "Shift(image, 2, -2, 0)", generalization.Shift(check.Copy(image), 2, -2, 0), make([]float64, 4), check.Exact)
		check.Equal(t, "Shift of one pixel by 1", generalization.Shift([]float64{7}, 1, 0, 1), []float64{0}, check.Exact)
		check.Equal(t, "Shift of one pixel by 0", generalization.Shift([]float64{7}, 1, 0, 0), []float64{7}, check.Exact)
		check.Equal(t, "Shift of no pixels, side 0", generalization.Shift(nil, 0, 1, 1), []float64(nil), check.Exact, check.Why("0² values"))
		check.Equal(t, "Shift(image, 2, 0, 5)", generalization.Shift(check.Copy(image), 2, 0, 5), make([]float64, 4), check.Exact)
	})
	t.Run("not square", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "Shift([-1 2 -3 4], 2, 1, 0)", generalization.Shift([]float64{-1, 2, -3, 4}, 2, 1, 0), []float64{0, -1, 0, -3}, check.Exact,
			check.Why("a pixel may be negative, as it is where images are centred"))
		check.Panics(t, "Shift of 6 pixels, side 2", func() { generalization.Shift(make([]float64, 6), 2, 1, 0) })
		check.Panics(t, "Shift of 3 pixels, side 2", func() { generalization.Shift(make([]float64, 3), 2, 1, 0) })
		check.Panics(t, "Shift of no pixels, side 2", func() { generalization.Shift(nil, 2, 0, 0) })
	})
	rng := check.Rand(t)
	image, other := check.Normal(rng, 16, 1), check.Normal(rng, 16, 1)
	check.Independent(t, "Shift(image, side, dx, dy)", generalization.Shift, check.Args{image, 4, 1, -1}, check.Args{other, 4, 2, 0})
	check.Independent(t, "Shift(image, side, 0, 0)", generalization.Shift, check.Args{image, 4, 0, 0}, check.Args{other, 4, 0, 0})
}

type decayCase struct {
	Name           string
	W, Grad, Moved check.Array
	Rate, Decay    float64
}

func TestDecayStep(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[decayCase](t, "decay") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			w, grad := c.W.Floats(), c.Grad.Floats()
			step := func(f func(w, g float64) float64) []float64 {
				out := make([]float64, len(w))
				for i := range w {
					out[i] = f(w[i], grad[i])
				}
				return out
			}
			got, passed := check.Copy(w), check.Copy(grad)
			generalization.DecayStep(got, passed, c.Rate, c.Decay)
			check.Equal(t, "w after DecayStep(w, grad, rate, decay)", got, c.Moved.Floats(), check.Rel(1e-9), check.Kept("grad", passed, grad),
				check.With("w before", w), check.With("rate", c.Rate), check.With("decay", c.Decay), check.Why("the step of torch.optim.SGD with weight_decay"),
				check.Mistake(w, "you left w as it was: the step is in place"),
				check.Mistake(step(func(w, g float64) float64 { return w - c.Rate*g }), "you left the penalty out"),
				check.Mistake(step(func(w, g float64) float64 { return w - c.Rate*(g+2*c.Decay*w) }), "you took 2·decay·w: the penalty has a ½"),
				check.Mistake(step(func(w, g float64) float64 { return w - c.Rate*(g+c.Decay*w/2) }), "you took ½·decay·w: the derivative of ½w² is w"),
				check.Mistake(step(func(w, g float64) float64 { return w - c.Rate*(g+c.Decay*w*w/2) }), "you added the penalty itself: the step needs its gradient"),
				check.Mistake(step(func(w, g float64) float64 { return w + c.Rate*(g+c.Decay*w) }), "you went up the gradient: descent subtracts it"),
				check.Mistake(step(func(w, g float64) float64 { return w - c.Rate*g - c.Decay*w }), "you did not multiply the decay by rate"),
				check.Mistake(step(func(w, g float64) float64 { return w - c.Rate*(g-c.Decay*w) }), "you let the weights grow: the penalty pulls them to 0"),
				check.Mistake(step(func(w, g float64) float64 { w -= c.Rate * g; return w - c.Rate*c.Decay*w }), "you decayed the weights after the step: both gradients are taken at the same w"),
				check.Mistake(step(func(w, g float64) float64 { return w - c.Rate*(g+math.Copysign(c.Decay, w)) }), "you took the sign of w: that is the gradient of an L1 penalty"))
		})
	}
	t.Run("no gradient, no weight, no rate", func(t *testing.T) {
		defer check.Rescue(t)
		w, grad := []float64{0.5, -2, 0, 4}, []float64{0, 0, 0, 1}
		generalization.DecayStep(w, grad, 0.5, 0.1)
		check.Equal(t, "w after DecayStep([0.5 -2 0 4], [0 0 0 1], 0.5, 0.1)", w, []float64{0.475, -1.9, 0, 3.3}, check.Rel(1e-12),
			check.Mistake([]float64{0.5, -2, 0, 3.3}, "you left a weight alone whose gradient is 0: the penalty pulls it too"))
		w = []float64{0.5, -2}
		generalization.DecayStep(w, []float64{3, 4}, 0, 0.1)
		check.Equal(t, "w after DecayStep([0.5 -2], [3 4], 0, 0.1)", w, []float64{0.5, -2}, check.Exact)
	})
	t.Run("unequal lengths", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "DecayStep of 3 weights and 2 gradients", func() { generalization.DecayStep(make([]float64, 3), make([]float64, 2), 0.1, 0.1) })
		check.Panics(t, "DecayStep of 2 weights and 3 gradients", func() { generalization.DecayStep(make([]float64, 2), make([]float64, 3), 0.1, 0.1) })
	})
	check.Independent(t, "DecayStep(w, grad, rate, decay)", generalization.DecayStep,
		check.Args{[]float64{1, -2, 3}, []float64{0.5, 1, -1}, 0.1, 0.2}, check.Args{[]float64{2, 1, -1}, []float64{-0.5, 2, 1}, 0.3, 0.1}, check.InPlace("w"))
}

const (
	better = "improved"
	goOn   = "go on"
	halt   = "stop"
)

func TestEarlyStopping(t *testing.T) {
	defer check.Rescue(t)
	nan := math.NaN()
	got, want, wrong := map[string][]string{}, map[string][]string{}, make([]map[string][]string, len(wrongStoppings))
	for _, c := range []struct {
		name     string
		patience int
		losses   []float64
		verdicts []string
		best     []int
	}{
		{"two in a row", 2, []float64{1, 0.8, 0.9, 0.85, 0.7}, []string{better, better, goOn, halt, better}, []int{0, 1, 1, 1, 4}},
		{
			"three, but not in a row", 3,
			[]float64{5, 4, 4.5, 4.2, 3, 3.5, 3.2, 3.1},
			[]string{better, better, goOn, goOn, better, goOn, goOn, halt},
			[]int{0, 1, 1, 1, 4, 4, 4, 4},
		},
		{"equal losses", 2, []float64{1, 1, 1}, []string{better, goOn, halt}, []int{0, 0, 0}},
		{"NaN", 2, []float64{nan, 2, nan, 1, nan, nan, 1.5}, []string{goOn, better, goOn, better, goOn, halt, halt}, []int{-1, 1, 1, 3, 3, 3, 3}},
		{"small improvements", 2, []float64{1, 1 - 1e-9, 1 - 2e-9, 1, 1}, []string{better, better, better, goOn, halt}, []int{0, 1, 2, 2, 2}},
		{"a first loss of 0", 2, []float64{0, 1, 0, -1}, []string{better, goOn, halt, better}, []int{0, 0, 0, 3}},
		{"losses below 0", 2, []float64{-1, -3, -2, 0, 1}, []string{better, better, goOn, halt, halt}, []int{0, 1, 1, 1, 1}},
		{"tiny losses", 2, []float64{1e-9, 0.9e-9, 1e-9, 1e-9}, []string{better, better, goOn, halt}, []int{0, 1, 1, 1}},
		{
			"ten in a row", 10,
			[]float64{1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2},
			[]string{better, goOn, goOn, goOn, goOn, goOn, goOn, goOn, goOn, goOn, halt, halt},
			[]int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		},
		{"a loss of 0", 2, []float64{1, 0, 0.5, 0.2}, []string{better, better, goOn, halt}, []int{0, 1, 1, 1}},
		{"an infinite loss", 2, []float64{math.Inf(1), 2, math.Inf(1), 3}, []string{better, better, goOn, halt}, []int{0, 1, 1, 1}},
		{"the zero value", 0, []float64{3, 4, 5, 2}, []string{better, halt, halt, better}, []int{0, 0, 0, 3}},
		{"NaN from the start", 2, []float64{nan, nan, nan, 3, nan, 2}, []string{goOn, halt, halt, better, goOn, better}, []int{-1, -1, -1, 3, 3, 5}},
		{"a stop, and on", 2, []float64{1, 2, 3, 0.5, 2, 3}, []string{better, goOn, halt, better, goOn, halt}, []int{0, 0, 0, 3, 3, 3}},
		{"an infinite loss below 0", 2, []float64{1, math.Inf(-1), math.Inf(-1), 0}, []string{better, better, goOn, halt}, []int{0, 1, 1, 1}},
		{"after a stop", 1, []float64{2, 3, 4, 1, 2}, []string{better, halt, halt, better, halt}, []int{0, 0, 0, 3, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer check.Rescue(t)
			e := generalization.EarlyStopping{Patience: c.patience}
			check.Equal(t, "Best() before the first observation", e.Best(), -1, check.Exact, check.Mistake(0, "you say epoch 0 was best before there was one"))
			name := fmt.Sprintf("%s, Patience %d, losses %v", c.name, c.patience, c.losses)
			for i, loss := range c.losses {
				improved, stop := e.Observe(loss)
				verdict := goOn
				switch {
				case improved && stop:
					verdict = better + " and " + halt
				case improved:
					verdict = better
				case stop:
					verdict = halt
				}
				got[name] = append(got[name], fmt.Sprintf("%s, best %d", verdict, e.Best()))
				want[name] = append(want[name], fmt.Sprintf("%s, best %d", c.verdicts[i], c.best[i]))
			}
			for k, w := range wrongStoppings {
				if wrong[k] == nil {
					wrong[k] = map[string][]string{}
				}
				wrong[k][name] = w.trace(c.patience, c.losses)
			}
		})
	}
	if len(got) > 0 {
		opts := []check.Option{check.Why("strictly less than every loss before; stop at the Patience-th observation in a row that is not")}
		for k, w := range wrongStoppings {
			opts = append(opts, check.Mistake(wrong[k], w.says))
		}
		check.Equal(t, "Observe of each loss, then Best()", got, want, check.Exact, opts...)
	}
	watch := func(patience int, losses []float64) (verdicts []bool, best int) {
		e := generalization.EarlyStopping{Patience: patience}
		for _, loss := range losses {
			improved, stop := e.Observe(loss)
			verdicts = append(verdicts, improved, stop)
		}
		return verdicts, e.Best()
	}
	check.Independent(t, "EarlyStopping(patience, losses)", watch, check.Args{2, []float64{5, 4, 6, 7, 3}}, check.Args{1, []float64{2, 3, 1, 4, 5}})
}

// wrongStopping is early stopping with one mistake.
type wrongStopping struct {
	says                                         string
	late                                         int  // stops so many observations late
	bare                                         bool // but with Patience 0 as with 1
	ties, total, previous, fromZero, last, ofOne bool
	nanStays, nanBetter, nanFree, nanGone        bool
	zeroIsNone, infinite, once, latched, after   bool
	minDelta                                     float64 // what a loss must be below the best to improve
}

var wrongStoppings = []wrongStopping{
	{says: "you stop one observation late: the Patience-th without an improvement stops", late: 1},
	{says: "you stop one observation late: the Patience-th without an improvement stops", late: 1, bare: true},
	{says: "you stop one observation early: the Patience-th without an improvement stops", late: -1},
	{says: "you took an equal loss for an improvement", ties: true},
	{says: "you count all observations without an improvement: one improvement starts the count anew", total: true},
	{says: "you compare with the loss before: compare with the best", previous: true},
	{says: "you start with a best loss of 0: no loss is below it", fromZero: true},
	{says: "you return the last epoch: Best is the epoch of the last improvement", last: true},
	{says: "you count epochs from 1: Best counts from 0", ofOne: true},
	{says: "you took NaN for an improvement: every comparison with it is false, so ask for less, not for not-greater", nanBetter: true},
	{says: "you did not count NaN: it is an observation without an improvement", nanFree: true},
	{says: "you passed over NaN altogether: its epoch counts, and so does it", nanGone: true},
	{says: "you took a best loss of 0 for none yet: a loss can be 0", zeroIsNone: true},
	{says: "you start with a best loss of +Inf, and the first loss can be that", infinite: true},
	{says: "you stop at the Patience-th observation only: at least that many", once: true},
	{says: "you ask for a least difference, as min_delta does: any smaller loss is an improvement", minDelta: 1e-6},
	{says: "you stop for good once you have stopped: an improvement starts the count anew, then too", latched: true},
	{says: "you count from the first improvement on: what comes before it, NaN, is without one", after: true},
	{says: "you kept a NaN as the loss to beat: nothing is less than NaN", nanStays: true},
}

func (w wrongStopping) trace(patience int, losses []float64) (out []string) {
	best, since, epoch, least, halted := -1, 0, 0, math.Inf(1), false
	if w.fromZero {
		least = 0
	}
	limit := max(patience, 1) + w.late
	if w.bare {
		limit = max(patience+w.late, 1)
	}
	for i, loss := range losses {
		isNaN := math.IsNaN(loss)
		if isNaN && w.nanGone {
			out = append(out, fmt.Sprintf("%s, best %d", goOn, best))
			continue
		}
		first := best < 0 && !isNaN && !w.fromZero && !w.infinite
		improved := first || loss < least-w.minDelta || w.ties && loss == least || w.nanStays && i == 0 ||
			w.nanBetter && (best < 0 || !(loss >= least)) || w.zeroIsNone && best >= 0 && least == 0 && !isNaN
		if improved || w.previous && best >= 0 {
			least = loss
		}
		verdict, shown := better, epoch
		if improved {
			best = epoch
			if !w.total {
				since = 0
			}
		} else {
			if (!isNaN || !w.nanFree) && (best >= 0 || !w.after) {
				since++
			}
			verdict = goOn
			if w.latched && halted {
				since = max(since, patience)
			}
			if w.once && since == patience || !w.once && since >= limit && !(isNaN && w.nanFree) {
				verdict, halted = halt, true
			}
		}
		if !w.last {
			shown = best
		}
		if w.ofOne && shown >= 0 {
			shown++
		}
		out = append(out, fmt.Sprintf("%s, best %d", verdict, shown))
		epoch++
	}
	return out
}
