package singlerelu_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	singlerelu "whyhow/katas/q13-single-relu"
)

func TestClassify(t *testing.T) {
	defer check.Rescue(t)
	type unitCase struct {
		Name                     string
		W, B, X, Y               check.Array
		NoRelu, NoBias, Absolute check.Array
	}
	for _, c := range check.Golden[unitCase](t, "unit") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, w := c.X.Dense(), c.W.Floats()
			n, _ := x.Dims()
			got := make([]float64, n)
			for i := range n {
				got[i] = singlerelu.Unit(w, c.B.Float(), mat.Row(nil, i, x))
			}
			check.Equal(t, "Unit(w, b, x) of every row x", got, c.Y.Floats(), check.Rel(1e-12),
				check.Kept("w", w, c.W.Floats()),
				check.Mistake(c.NoRelu.Floats(), "you returned w·x+b itself: relu turns what is below 0 into 0"),
				check.Mistake(c.NoBias.Floats(), "you left the bias out: the unit sees w·x+b"),
				check.Mistake(c.Absolute.Floats(), "you returned |w·x+b|: relu turns what is below 0 into 0, not into its opposite"))
		})
	}

	// With w = (2, −1) and b = 1/2 the inputs (a, a) have z = a + 1/2, exact in float64.
	t.Run("decisions", func(t *testing.T) {
		defer check.Rescue(t)
		zs := []float64{-2, -1, -0.5, 0, 0.5, 1, 2}
		decisions := func(decide func(x []float64, threshold float64) bool) []string {
			var lines []string
			for _, threshold := range []float64{-1, 0, 1} {
				line := fmt.Sprintf("threshold %+g: yes where w·x+b is", threshold)
				for _, z := range zs {
					if decide([]float64{z - 0.5, z - 0.5}, threshold) {
						line += fmt.Sprintf(" %g", z)
					}
				}
				lines = append(lines, line)
			}
			return lines
		}
		z := func(x []float64) float64 { return 2*x[0] - x[1] + 0.5 }
		want := decisions(func(x []float64, t float64) bool { return max(z(x), 0) > t })
		got := decisions(func(x []float64, t float64) bool { return singlerelu.Classify([]float64{2, -1}, 0.5, t, x) })
		options := []check.Option{check.Why("yes where relu(w·x+b) > threshold, strictly")}
		right := true // Classify rests on Unit: what that one got wrong is not Classify's
		for _, v := range zs {
			right = right && singlerelu.Unit([]float64{2, -1}, 0.5, []float64{v - 0.5, v - 0.5}) == max(v, 0)
		}
		if right {
			options = append(options,
				check.Mistake(decisions(func(x []float64, t float64) bool { return max(z(x), 0) >= t }), "you wrote ≥ for >: at the threshold itself the answer is no"),
				check.Mistake(decisions(func(x []float64, t float64) bool { return z(x) > t }), "you compared w·x+b with the threshold: compare relu(w·x+b), which is never below 0"),
				check.Mistake(decisions(func(x []float64, t float64) bool { return max(z(x)-0.5, 0) > t }), "you left the bias out: the unit sees w·x+b"))
		}
		check.Equal(t, "Classify(w, b, threshold, x)", got, want, check.Exact, options...)
	})

	t.Run("lengths", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Unit of 2 weights and 3 inputs", func() { singlerelu.Unit([]float64{1, 2}, 0, []float64{1, 2, 3}) })
		check.Panics(t, "Unit of 3 weights and 2 inputs", func() { singlerelu.Unit([]float64{1, 2, 3}, 0, []float64{1, 2}) })
		check.Panics(t, "Unit of 2 weights and no inputs", func() { singlerelu.Unit([]float64{1, 2}, 0, nil) })
		check.Panics(t, "Classify with 3 weights and 2 inputs", func() { singlerelu.Classify([]float64{1, 2, 3}, 0, 0, []float64{1, 2}) })
		check.Panics(t, "Classify with 3 weights and 2 inputs, below 0,", func() { singlerelu.Classify([]float64{1, 2, 3}, 0, -1, []float64{1, 2}) })
		check.Panics(t, "Classify with 2 weights and 3 inputs", func() { singlerelu.Classify([]float64{1, 2}, 0, 0, []float64{1, 2, 3}) })
	})
	check.Independent(t, "Unit(w, b, x)", singlerelu.Unit, check.Args{[]float64{1, -2}, 0.5, []float64{3, 1}}, check.Args{[]float64{2, 1}, 0.25, []float64{1, 0.5}})
	check.Independent(t, "Classify(w, b, threshold, x)", singlerelu.Classify,
		check.Args{[]float64{1, -2}, 0.5, 1, []float64{3, 0.5}}, check.Args{[]float64{-1, 1}, -2, 3, []float64{1, 2}})
}

// grid holds the points whose coordinates are multiples of 1/2 from −3 to 3, and some that are far away: what accepts every input accepts them too.
// With weights and biases that are multiples of 1/4, every z is exact.
func grid() [][]float64 {
	const far = 1 << 40
	points := [][]float64{{far, 0}, {-far, 0}, {0, far}, {0, -far}, {far, far}, {-far, -far}}
	for i := -6; i <= 6; i++ {
		for j := -6; j <= 6; j++ {
			points = append(points, []float64{float64(i) / 2, float64(j) / 2})
		}
	}
	return points
}

// yes writes which points of the grid a classifier accepts, by the z = w·x+b of the unit that it stands for.
func yes(w []float64, b float64, decide func(x []float64) bool) string {
	accepted, all := map[float64]bool{}, map[float64]bool{}
	low, high := 0.0, 0.0
	for _, x := range grid() {
		z := floats.Dot(w, x) + b
		all[z] = true
		if decide(x) {
			if len(accepted) == 0 {
				low, high = z, z
			}
			accepted[z] = true
			low, high = min(low, z), max(high, z)
		}
	}
	switch len(accepted) {
	case 0:
		return "never"
	case len(all):
		return "always"
	}
	for z := range all {
		if z > low && z < high && !accepted[z] {
			return fmt.Sprintf("where z is between %g and %g, with gaps", low, high)
		}
	}
	return fmt.Sprintf("where z is %g to %g", low, high)
}

func linear(w []float64, b float64) func(x []float64) bool {
	return func(x []float64) bool { return floats.Dot(w, x)+b > 0 }
}

// units holds weights and biases, with biases of both signs and 0: whether the answer depends on x does not depend on them.
var units = []struct {
	w []float64
	b float64
}{
	{[]float64{1, -2}, 0.25},
	{[]float64{-0.5, 1.5}, -3.5},
	{[]float64{2, 0.25}, 0},
	{[]float64{0, 1}, -1 << 20},
	{[]float64{-1, 0}, 1 << 20},
	{[]float64{0, 0}, -1},
	{[]float64{0, 0}, 2},
}

const alwaysByBias = "you set w1 to 0 and left b1 to the unit's own bias: for every x, b1 must be above 0, for none it must not, whatever b is"

func TestLinear(t *testing.T) {
	defer check.Rescue(t)
	t.Run("AsLinear", func(t *testing.T) {
		defer check.Rescue(t)
		thresholds := []float64{0, 0.75, 2.25, 0.75 - 1.0/(1<<30), 1 << 20, -0.5, -1.0 / (1 << 30), -1 << 41}
		table := func(decider func(w []float64, b, threshold float64) func(x []float64) bool) map[string]string {
			out := map[string]string{}
			for _, u := range units {
				for _, threshold := range thresholds {
					out[fmt.Sprintf("w=%v b=%g threshold=%.10g", u.w, u.b, threshold)] = yes(u.w, u.b, decider(u.w, u.b, threshold))
				}
			}
			return out
		}
		answers := func(as func(w []float64, b, t float64) ([]float64, float64)) map[string]string {
			return table(func(w []float64, b, threshold float64) func([]float64) bool {
				w1, b1 := as(w, b, threshold)
				require.Len(t, w1, len(w), "AsLinear must return as many weights as it was given")
				return linear(w1, b1)
			})
		}
		want := table(func(w []float64, b, threshold float64) func([]float64) bool {
			return func(x []float64) bool { return max(floats.Dot(w, x)+b, 0) > threshold }
		})
		got := answers(func(w []float64, b, threshold float64) ([]float64, float64) {
			return singlerelu.AsLinear(check.Copy(w), b, threshold)
		})
		check.Equal(t, "AsLinear(w, b, threshold) says yes", got, want, check.Exact,
			check.Why("relu(z) > threshold is z > threshold as long as the threshold is not below 0"),
			check.Mistake(answers(func(w []float64, b, t float64) ([]float64, float64) {
				if t < 0 {
					return make([]float64, len(w)), 1
				}
				return w, b + t
			}), "you added the threshold to the bias: z > t is z − t > 0"),
			check.Mistake(answers(func(w []float64, b, t float64) ([]float64, float64) { return w, b - t }),
				"you forgot thresholds below 0: relu is never below 0, so the unit then always says yes"),
			check.Mistake(answers(func(w []float64, b, t float64) ([]float64, float64) {
				if t < 0 {
					return make([]float64, len(w)), 1
				}
				return w, b
			}), "you left the threshold out"),
			check.Mistake(answers(func(w []float64, b, t float64) ([]float64, float64) {
				if t <= 0 {
					return make([]float64, len(w)), 1
				}
				return w, b - t
			}), "you said yes everywhere at threshold 0 too: relu(z) is 0, and not above it, wherever the unit is off"),
			check.Mistake(answers(func(w []float64, b, t float64) ([]float64, float64) {
				if t < 0 {
					return w, 1e6
				}
				return w, b - t
			}), "you kept w for thresholds below 0 and made the bias large: far away w·x outweighs any bias, with w = 0 nothing does"),
			check.Mistake(answers(func(w []float64, b, t float64) ([]float64, float64) {
				if t < 0 {
					return make([]float64, len(w)), 1
				}
				return w, -t
			}), "you left the bias out"),
			check.Mistake(answers(func(w []float64, b, t float64) ([]float64, float64) {
				if t < 0 {
					return make([]float64, len(w)), b - t
				}
				return w, b - t
			}), alwaysByBias))
	})
	t.Run("AsHalfspace", func(t *testing.T) {
		defer check.Rescue(t)
		combine := func(decider func(w []float64, b, v, c float64) func(x []float64) bool) map[string]string {
			out := map[string]string{}
			for _, u := range units {
				for _, v := range []float64{2, 0.25, 0, -0.25, -2} {
					for _, c := range []float64{1, 1.5 - 1.0/(1<<30), 0, -1, -1.5 + 1.0/(1<<30)} {
						out[fmt.Sprintf("w=%v b=%g v=%g c=%.10g", u.w, u.b, v, c)] = yes(u.w, u.b, decider(u.w, u.b, v, c))
					}
				}
			}
			return out
		}
		decided := func(decide func(b, v, c, z float64) bool) map[string]string {
			return combine(func(w []float64, b, v, c float64) func([]float64) bool {
				return func(x []float64) bool { return decide(b, v, c, floats.Dot(w, x)+b) }
			})
		}
		want := decided(func(_, v, c, z float64) bool { return v*max(z, 0)+c > 0 })
		got := combine(func(w []float64, b, v, c float64) func([]float64) bool {
			w1, b1 := singlerelu.AsHalfspace(check.Copy(w), b, v, c)
			require.Len(t, w1, len(w), "AsHalfspace must return as many weights as it was given")
			return linear(w1, b1)
		})
		mistake := func(says string, decide func(b, v, c, z float64) bool) check.Option {
			return check.Mistake(decided(decide), says)
		}
		check.Equal(t, "AsHalfspace(w, b, v, c) says yes", got, want, check.Exact,
			check.Why("yes where v·relu(z)+c > 0"),
			mistake("you put z for relu(z) everywhere: where v and c have the same sign the answer does not depend on x",
				func(_, v, c, z float64) bool { return v*z+c > 0 }),
			mistake("you put z for relu(z) where v and c are above 0: where the unit is off the sum is c, so the answer is yes everywhere",
				func(_, v, c, z float64) bool {
					if v > 0 && c > 0 {
						return v*z+c > 0
					}
					return v*max(z, 0)+c > 0
				}),
			mistake("you put z for relu(z) where v is below 0 and c is not above: the sum is never above c, so the answer is never yes",
				func(_, v, c, z float64) bool {
					if v < 0 && c <= 0 {
						return v*z+c > 0
					}
					return v*max(z, 0)+c > 0
				}),
			mistake("you took c = 0 for above 0: where the unit is off the sum is 0, and the answer is no",
				func(_, v, c, z float64) bool { return v > 0 && c == 0 || v*max(z, 0)+c > 0 }),
			mistake("you let v below 0 with c = 0 say yes where the unit is off: the sum is 0 there, and 0 is not above 0",
				func(_, v, c, z float64) bool {
					if v < 0 && c == 0 {
						return v*z > 0
					}
					return v*max(z, 0)+c > 0
				}),
			mistake("you never said yes for v below 0: where the unit is off the sum is c, and c may be above 0",
				func(_, v, c, z float64) bool { return v >= 0 && v*max(z, 0)+c > 0 }),
			mistake("you left v out of the weights, and have it in the bias only",
				func(b, v, c, z float64) bool {
					if c > 0 && v >= 0 || c <= 0 && v <= 0 {
						return c > 0
					}
					return z-b+v*b+c > 0
				}),
			mistake("you left v out of the bias, and have it in the weights only",
				func(b, v, c, z float64) bool {
					if c > 0 && v >= 0 || c <= 0 && v <= 0 {
						return c > 0
					}
					return v*(z-b)+b+c > 0
				}),
			mistake("you lost the sign of v: a negative v accepts where z is small",
				func(_, v, c, z float64) bool {
					if c > 0 && v >= 0 || c <= 0 && v <= 0 {
						return c > 0
					}
					return max(v, -v)*z-max(c, -c) > 0
				}),
			mistake("you wrote ≥ for > at c = 0: v·relu(z) + 0 is 0, and not above it, wherever the unit is off",
				func(_, v, c, z float64) bool {
					if c == 0 && v <= 0 {
						return v*z >= 0
					}
					return v*max(z, 0)+c > 0
				}),
			mistake(alwaysByBias, func(b, v, c, z float64) bool {
				if c > 0 && v >= 0 || c <= 0 && v <= 0 {
					return v*b+c > 0
				}
				return v*z+c > 0
			}),
			mistake("you left c out", func(_, v, _, z float64) bool { return v*max(z, 0) > 0 }))
	})
	w, other := []float64{1, -2, 0.5}, []float64{0.25, 3, -1}
	check.Independent(t, "AsLinear(w, b, threshold)", singlerelu.AsLinear, check.Args{w, 0.5, 2}, check.Args{other, 0.75, 0.25})
	check.Independent(t, "AsLinear(w, b, 0)", singlerelu.AsLinear, check.Args{w, 0.5, 0}, check.Args{other, 0.75, 0})
	check.Independent(t, "AsLinear(w, b, -1)", singlerelu.AsLinear, check.Args{w, 0.5, -1}, check.Args{other, 0.75, -1}, check.AnyAnswer())
	check.Independent(t, "AsHalfspace(w, b, -1, c)", singlerelu.AsHalfspace, check.Args{w, 0.5, -1, -2}, check.Args{other, 0.75, -1, -3}, check.AnyAnswer())
	check.Independent(t, "AsHalfspace(w, b, v, c)", singlerelu.AsHalfspace, check.Args{w, 0.5, 2, -1}, check.Args{other, 0.75, 3, -0.5})
	check.Independent(t, "AsHalfspace(w, b, 1, c)", singlerelu.AsHalfspace, check.Args{w, 0.5, 1, -1}, check.Args{other, 0.75, 1, -0.5})
}

func TestPerceptron(t *testing.T) {
	defer check.Rescue(t)
	type result struct {
		W            check.Array
		B, Separated check.Array
	}
	type perceptronCase struct {
		Name                                  string
		X, Labels                             check.Array
		Epochs                                int
		Right, Strict, NoBias, ZeroOne, Batch result
	}
	type answer struct {
		W         []float64
		B         float64
		Separated bool
	}
	of := func(r result) answer { return answer{r.W.Floats(), r.B.Float(), r.Separated.Float() == 1} }
	cases := check.Golden[perceptronCase](t, "perceptron")
	run := func(c perceptronCase, x *mat.Dense) answer {
		labels := make([]bool, len(c.Labels.Data))
		for i, v := range c.Labels.Ints() {
			labels[i] = v == 1
		}
		w, b, separated := singlerelu.Perceptron(x, labels, c.Epochs)
		return answer{w, b, separated}
	}
	names := check.Consistent(cases, check.Exact, func(c perceptronCase) answer { return run(c, c.X.Dense()) }, func(c perceptronCase) answer { return of(c.Right) },
		func(c perceptronCase) []check.Reading[answer] {
			right := of(c.Right)
			other := answer{right.W, right.B, !right.Separated}
			const late, early = "you did not say separated although the last pass corrected nothing", "you said separated although the last pass still corrected a row"
			says, silent := early, late
			if right.Separated {
				says, silent = late, early
			}
			return []check.Reading[answer]{
				check.Reads(other, says), check.Reads(right, says), check.Reads(right, silent), // who errs there alone has all else right
				check.Reads(of(c.Strict), "you corrected only where y·(w·x+b) < 0: it is 0 at the start, so nothing ever changes"),
				check.Reads(of(c.NoBias), "you did not move the bias: it grows by y"),
				check.Reads(of(c.ZeroOne), "you took 0 and 1 as labels: with y = 0 a wrong yes is never corrected"),
				check.Reads(of(c.Batch), "you corrected with the weights from the start of the pass: each correction counts at the next row already"),
			}
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x := c.X.Dense()
			got := run(c, x)
			check.Equal(t, fmt.Sprintf("Perceptron(x, labels, %d)", c.Epochs), got, of(c.Right), check.Exact, append(names[i],
				check.Kept("x", x, c.X.Dense()),
				check.Why("from w = 0, b = 0, row by row: where y·(w·x+b) ≤ 0, w += y·x and b += y"))...)
		})
	}
	t.Run("passes by hand", func(t *testing.T) {
		defer check.Rescue(t)
		cases := []struct {
			name                string
			rows                [][]float64
			labels              []bool
			epochs              int
			right, last, narrow answer // narrow: by the first row alone
			more                answer // with a pass more
		}{
			{"no pass", [][]float64{{2, 1}}, []bool{true}, 0, answer{[]float64{0, 0}, 0, false}, answer{[]float64{0, 0}, 0, false}, answer{[]float64{0, 0}, 0, false}, answer{[]float64{2, 1}, 1, false}},
			{"one row, corrected", [][]float64{{2, 1}}, []bool{true}, 1, answer{[]float64{2, 1}, 1, false}, answer{[]float64{2, 1}, 1, false}, answer{[]float64{2, 1}, 1, false}, answer{[]float64{2, 1}, 1, true}},
			{"one row, then clean", [][]float64{{2, 1}}, []bool{true}, 2, answer{[]float64{2, 1}, 1, true}, answer{[]float64{2, 1}, 1, true}, answer{[]float64{2, 1}, 1, true}, answer{[]float64{2, 1}, 1, true}},
			{
				"the last pass corrects its first row only",
				[][]float64{{0, -1}, {-1, 0}, {-1, -1}},
				[]bool{false, true, true},
				2,
				answer{[]float64{-2, 1}, 0, false},
				answer{[]float64{-2, 1}, 0, true},
				answer{[]float64{-2, 1}, 0, false},
				answer{[]float64{-2, 1}, 0, true},
			},
			{
				"the last pass corrects its last row only",
				[][]float64{{0, -1}, {0, 1}, {-1, 0}},
				[]bool{false, false, true},
				2,
				answer{[]float64{-2, 0}, 0, false},
				answer{[]float64{-2, 0}, 0, false},
				answer{[]float64{-2, 0}, 0, true},
				answer{[]float64{-3, 0}, -1, false},
			},
			{
				"until a pass is clean",
				[][]float64{{-1, -1}, {0, -1}, {1, 0}},
				[]bool{true, false, false},
				10,
				answer{[]float64{-3, 1}, -1, true},
				answer{[]float64{-1, 0}, 0, true},
				answer{[]float64{-1, 1}, -1, true},
				answer{[]float64{-3, 1}, -1, true},
			},
			{ // powers of two: all is exact, 1 plus a product too
				"hardly above the border",
				[][]float64{{0x1p-25, 0}, {-0x1p-25, 0}},
				[]bool{true, false},
				5,
				answer{[]float64{0x1p-24, 0}, 0, true},
				answer{[]float64{0x1p-24, 0}, 0, true},
				answer{[]float64{0x1p-24, 0}, 0, true},
				answer{[]float64{0x1p-24, 0}, 0, true},
			},
		}
		got, right, last, first, more := map[string]answer{}, map[string]answer{}, map[string]answer{}, map[string]answer{}, map[string]answer{}
		for _, c := range cases {
			x := mat.NewDense(len(c.rows), len(c.rows[0]), nil)
			for i, row := range c.rows {
				x.SetRow(i, row)
			}
			w, b, separated := singlerelu.Perceptron(x, c.labels, c.epochs)
			name := fmt.Sprintf("%s: rows %v, %v, %d passes", c.name, c.rows, c.labels, c.epochs)
			got[name], right[name], last[name], first[name], more[name] = answer{w, b, separated}, c.right, c.last, c.narrow, c.more
		}
		check.Equal(t, "Perceptron(x, labels, epochs)", got, right, check.Exact,
			check.Why("a pass is clean if it corrected no row, the first and the last included"),
			check.Mistake(more, "you ran a pass too many: epochs counts all passes, and 0 is none"),
			check.Mistake(last, "you let the last row decide whether a pass was clean: one correction, at any row, is enough for another pass"),
			check.Mistake(first, "you let the first row decide whether a pass was clean: one correction, at any row, is enough for another pass"))
	})
	t.Run("labels", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Perceptron of 2 rows and 1 label", func() { singlerelu.Perceptron(mat.NewDense(2, 1, nil), []bool{true}, 1) })
		check.Panics(t, "Perceptron of 2 rows and 3 labels", func() { singlerelu.Perceptron(mat.NewDense(2, 1, nil), []bool{true, false, true}, 1) })
		check.Panics(t, "Perceptron of 2 rows and no labels, 0 epochs,", func() { singlerelu.Perceptron(mat.NewDense(2, 1, nil), nil, 0) })
	})
	rng := check.Rand(t)
	draw := func(labels ...bool) check.Args {
		return check.Args{mat.NewDense(5, 2, check.Normal(rng, 10, 1)), labels, 3}
	}
	check.Independent(t, "Perceptron(x, labels, 3)", singlerelu.Perceptron, draw(true, false, true, true, false), draw(false, false, true, false, true))
}

func TestTwoUnits(t *testing.T) {
	defer check.Rescue(t)
	t.Run("Identity", func(t *testing.T) {
		defer check.Rescue(t)
		zs := []float64{-7.5, -2, -0.1, 0, 1.0 / 3, 3, 11, -1e-20, 1e15 + 0.25}
		got, absolute, first, opposite := make([]float64, len(zs)), make([]float64, len(zs)), make([]float64, len(zs)), make([]float64, len(zs))
		right := true // Identity rests on Unit
		for i, z := range zs {
			got[i], absolute[i], first[i], opposite[i] = singlerelu.Identity(z), max(z, -z), max(z, 0), -z
			right = right && singlerelu.Unit([]float64{1}, 0, []float64{z}) == max(z, 0) && singlerelu.Unit([]float64{-1}, 0, []float64{z}) == max(-z, 0)
		}
		options := []check.Option{check.With("z", zs)}
		if right {
			options = append(options,
				check.Mistake(absolute, "you added the two units, which gives |z|: the one for negative z has to be subtracted"),
				check.Mistake(first, "you used one unit only: relu(z) is 0 for every negative z"),
				check.Mistake(opposite, "you subtracted the unit for positive z from the one for negative z: that is −z"))
		}
		check.Equal(t, "Identity(z)", got, zs, check.Exact, options...)
	})
	t.Run("XORNet", func(t *testing.T) {
		defer check.Rescue(t)
		got := outputs(t)
		check.Equal(t, "XORNet() at (0,0), (0,1), (1,0), (1,1)", got, []float64{0, 1, 1, 0}, check.Abs(1e-9),
			check.Mistake([]float64{0, 1, 1, 1}, "you built OR: at (1,1) the second unit has to take the first one's output back"),
			check.Mistake([]float64{0, 0, 0, 1}, "you built AND"),
			check.Mistake([]float64{1, 0, 0, 1}, "you built XNOR, the complement of XOR"),
			check.Mistake([]float64{0, 1, 1, 2}, "you let both inputs add up: at (1,1) the second unit has to take 2 off"))
	})
	check.Independent(t, "Identity(z)", singlerelu.Identity, check.Args{0.5}, check.Args{-1.5})
	check.Independent(t, "Disagree()", singlerelu.Disagree, nil, nil, check.AnyAnswer())
	check.Independent(t, "XORNet()", singlerelu.XORNet, nil, nil, check.AnyAnswer())
}

// outputs computes the learner's XORNet at the four corners.
func outputs(t *testing.T) []float64 {
	t.Helper()
	w1, b1, w2, b2 := singlerelu.XORNet()
	require.NotNil(t, w1, "XORNet's w1 is nil")
	r, c := w1.Dims()
	require.Equal(t, []int{2, 2, 2, 2}, []int{r, c, len(b1), len(w2)}, "XORNet: rows and columns of w1, lengths of b1 and w2")
	out := make([]float64, 4)
	for k, x := range [][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
		out[k] = b2
		for j := range 2 {
			out[k] += w2[j] * max(x[0]*w1.At(0, j)+x[1]*w1.At(1, j)+b1[j], 0)
		}
	}
	return out
}

func TestRegions(t *testing.T) {
	defer check.Rescue(t)
	cases := []struct {
		name                              string
		w, b                              []float64
		want, repeated, flat, kinks, zero int // by mistake: repeated kinks counted, w = 0 counted, kinks for pieces, the kink at b/w
	}{
		{"no unit", nil, nil, 1, 1, 1, 0, 1},
		{"one unit", []float64{2}, []float64{1}, 2, 2, 2, 1, 2},
		{"three kinks", []float64{1, -1, 2}, []float64{0, 1, 1}, 4, 4, 4, 3, 3},
		{"one kink three times", []float64{1, -2, 4}, []float64{0.5, -1, 2}, 2, 4, 2, 1, 4},
		{"a flat unit", []float64{0, 1, 1}, []float64{3, 1, 2}, 3, 3, 4, 2, 3},
		{"kinks at opposite places", []float64{1, -1}, []float64{1, 1}, 3, 3, 3, 2, 2},
		{"kinks at 0, with signs", []float64{1, -1}, []float64{0, 0}, 2, 3, 2, 1, 2},
		{"one bias, other slopes", []float64{1, 2, -2}, []float64{1, 1, 1}, 4, 4, 4, 3, 2},
		{"kinks that lie close", []float64{1, 1, -2}, []float64{-1, -1 - 0x1p-40, 2}, 3, 4, 3, 2, 4},
		{"kinks far away", []float64{1, 1, 0x1p-40}, []float64{1e15, 1e15 + 1, 3}, 4, 4, 4, 3, 4},
		{"six units at two places", []float64{1, 2, -1, 0, 4, -2}, []float64{1, 2, 1, 5, -4, 2}, 3, 6, 4, 2, 4},
		{"neighbouring kinks", []float64{1, 1}, []float64{1 - 0x1p-53, 1 - 0x1p-52}, 3, 3, 3, 2, 3}, // 1/x is the same float64
	}
	pick := func(f func(i int) int) map[string]int {
		out := map[string]int{}
		for i, c := range cases {
			out[c.name] = f(i)
		}
		return out
	}
	close := func(names ...string) map[string]int {
		return pick(func(i int) int {
			if slices.Contains(names, cases[i].name) {
				return cases[i].want - 1
			}
			return cases[i].want
		})
	}
	const closeKinks = "you took kinks that lie close for one: two are one if they are the same float64"
	got := pick(func(i int) int { return singlerelu.Regions(check.Copy(cases[i].w), check.Copy(cases[i].b)) })
	var lines []string
	for _, c := range cases {
		lines = append(lines, fmt.Sprintf("%s: w %v, b %v", c.name, c.w, c.b))
	}
	check.Equal(t, "Regions(w, b)", got, pick(func(i int) int { return cases[i].want }), check.Exact,
		check.Why("pieces = different kinks + 1; a unit bends where w·x+b = 0\n"+strings.Join(lines, "\n")),
		check.Mistake(pick(func(i int) int { return cases[i].repeated }), "you counted a kink once a unit: units that bend at the same x share it"),
		check.Mistake(pick(func(i int) int { return cases[i].flat }), "you gave a unit with w = 0 a kink: its output is constant"),
		check.Mistake(pick(func(i int) int { return len(cases[i].w) + 1 }), "you counted the units: several may share a kink, and one with w = 0 has none"),
		check.Mistake(pick(func(i int) int {
			switch cases[i].name {
			case "kinks at 0, with signs":
				return 3 // +Inf and −Inf
			case "neighbouring kinks":
				return 2
			}
			return cases[i].want
		}), "you divided w by b: w·x+b is 0 at x = −b/w"),
		check.Mistake(pick(func(i int) int {
			if cases[i].name == "kinks at 0, with signs" {
				return 3
			}
			return cases[i].want
		}), "you told 0 and −0 apart: they are the same point"),
		check.Mistake(close("kinks that lie close"), closeKinks),
		check.Mistake(close("neighbouring kinks"), closeKinks),
		check.Mistake(close("kinks that lie close", "neighbouring kinks"), closeKinks),
		check.Mistake(close("kinks that lie close", "neighbouring kinks", "kinks far away"), closeKinks),
		check.Mistake(pick(func(i int) int { return cases[i].kinks }), "you counted kinks: there is one piece more"),
		check.Mistake(pick(func(i int) int { return cases[i].zero }), "you told kinks apart by the bias alone: a unit bends at x = −b/w"))
	t.Run("lengths", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Regions of 2 weights and 1 bias", func() { singlerelu.Regions([]float64{1, 2}, []float64{1}) })
		check.Panics(t, "Regions of 1 weight and 2 biases", func() { singlerelu.Regions([]float64{1}, []float64{1, 2}) })
	})
	check.Independent(t, "Regions(w, b)", singlerelu.Regions, check.Args{[]float64{3, 1, 2}, []float64{6, 2, 1}}, check.Args{[]float64{0, 1, 0}, []float64{1, 3, 2}})
}
