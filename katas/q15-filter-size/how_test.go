package filtersize_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	filtersize "whyhow/katas/q15-filter-size"
)

var tol = check.Tol{Rel: 1e-9, Abs: 1e-11}

func TestStackField(t *testing.T) {
	defer check.Rescue(t)
	t.Run("StackField", func(t *testing.T) {
		defer check.Rescue(t)
		each := func(f func(kernel, layers int) int) map[string]int {
			out := map[string]int{}
			for _, c := range [][2]int{{3, 1}, {3, 3}, {3, 5}, {5, 2}, {4, 3}, {7, 0}, {1, 6}} {
				out[fmt.Sprintf("StackField(%d, %d)", c[0], c[1])] = f(c[0], c[1])
			}
			return out
		}
		check.Equal(t, "receptive field from StackField(kernel, layers)", each(filtersize.StackField), each(func(k, n int) int { return n*(k-1) + 1 }), check.Exact,
			check.Why("each layer adds one less than its kernel"),
			check.Mistake(each(func(k, n int) int { return n * k }), "you multiplied kernel and layers: neighbouring kernels overlap, each layer adds one less than its kernel"),
			check.Mistake(each(func(k, n int) int { return n * (k - 1) }), "you left out the pixel itself: no layer at all has field 1"))
		check.Panics(t, "StackField(0, 1)", func() { filtersize.StackField(0, 1) })
		check.Panics(t, "StackField(3, -1)", func() { filtersize.StackField(3, -1) })
		check.Panics(t, "StackField(-2, 0)", func() { filtersize.StackField(-2, 0) })
		check.Independent(t, "StackField(kernel, layers)", filtersize.StackField, check.Args{3, 2}, check.Args{5, 4})
	})
	t.Run("LayersFor", func(t *testing.T) {
		defer check.Rescue(t)
		cases := []struct {
			field, kernel                int
			want                         string
			down, up, whole, zero, below string // by mistake: rounded down, rounded up, field/kernel, a field of 1 refused, fields and kernels below 1 let through
		}{
			{7, 3, "3", "3", "3", "2", "3", "3"},
			{11, 3, "5", "5", "5", "3", "5", "5"},
			{11, 11, "1", "1", "1", "1", "1", "1"},
			{9, 5, "2", "2", "2", "1", "2", "2"},
			{1, 3, "0", "0", "0", "0", "error", "0"},
			{8, 3, "error", "3", "4", "2", "error", "error"},
			{11, 4, "error", "3", "4", "2", "error", "error"},
			{2, 3, "error", "0", "1", "0", "error", "error"},
			{5, 1, "error", "error", "error", "5", "error", "error"},
			{0, 3, "error", "error", "error", "0", "error", "error"},
			{-3, 3, "error", "error", "error", "error", "error", "-2"},
			{3, 0, "error", "error", "error", "error", "error", "-2"},
		}
		pick := func(f func(i int) string) map[string]string {
			out := map[string]string{}
			for i, c := range cases {
				out[fmt.Sprintf("LayersFor(%d, %d)", c.field, c.kernel)] = f(i)
			}
			return out
		}
		got := pick(func(i int) string {
			n, err := filtersize.LayersFor(cases[i].field, cases[i].kernel)
			if err != nil {
				return "error"
			}
			return fmt.Sprint(n)
		})
		check.Equal(t, "number of layers, or error, from LayersFor(field, kernel)", got, pick(func(i int) string { return cases[i].want }), check.Exact,
			check.Why("n layers have the field n·(kernel−1) + 1; an error where no n fits exactly"),
			check.Mistake(pick(func(i int) string { return cases[i].down }), "you rounded down: where the field is not reached exactly there is an error to return"),
			check.Mistake(pick(func(i int) string { return cases[i].up }), "you rounded up: where the field is not reached exactly there is an error to return"),
			check.Mistake(pick(func(i int) string { return cases[i].whole }), "you divided the field by the kernel: neighbouring kernels overlap, each layer adds one less than its kernel"),
			check.Mistake(pick(func(i int) string { return cases[i].zero }), "you refused a field of 1: no layer at all has it"),
			check.Mistake(pick(func(i int) string { return cases[i].below }), "you returned a negative number of layers: a field or a kernel below 1 is an error"))
		for _, c := range cases {
			if call := fmt.Sprintf("LayersFor(%d, %d)", c.field, c.kernel); c.want == "error" && got[call] == "error" {
				_, err := filtersize.LayersFor(c.field, c.kernel)
				check.Fails(t, call, err)
			}
		}
		check.Independent(t, "LayersFor(field, kernel)", filtersize.LayersFor, check.Args{13, 3}, check.Args{25, 5})
	})
}

func TestParams(t *testing.T) {
	defer check.Rescue(t)
	type stack struct{ kernel, layers, in, channels int }
	named := func(call func(s stack) string, f func(s stack) int) map[string]int {
		out := map[string]int{}
		for _, s := range []stack{{3, 3, 64, 64}, {7, 1, 64, 64}, {3, 3, 3, 64}, {7, 1, 3, 64}, {5, 2, 10, 6}} {
			out[call(s)] = f(s)
		}
		return out
	}
	t.Run("Params", func(t *testing.T) {
		defer check.Rescue(t)
		each := func(f func(s stack) int) map[string]int {
			return named(func(s stack) string {
				return fmt.Sprintf("Params(%d, %d, %d, %d)", s.kernel, s.layers, s.in, s.channels)
			}, f)
		}
		check.Equal(t, "weights from Params(kernel, layers, in, channels)",
			each(func(s stack) int { return filtersize.Params(s.kernel, s.layers, s.in, s.channels) }),
			each(func(s stack) int {
				return s.kernel*s.kernel*s.in*s.channels + (s.layers-1)*s.kernel*s.kernel*s.channels*s.channels
			}), check.Exact,
			check.Why("k²·in·channels for the first layer, k²·channels² for each other"),
			check.Mistake(each(func(s stack) int { return s.layers * s.kernel * s.kernel * s.channels * s.channels }), "you ignored that the first layer reads `in` channels"),
			check.Mistake(each(func(s stack) int { return s.layers * s.kernel * s.kernel * s.in * s.channels }), "you let every layer read `in` channels: from the second on they read what the one before wrote"),
			check.Mistake(each(func(s stack) int { return s.layers * s.kernel * s.kernel * s.channels }), "you gave an output channel one kernel: it has one for each input channel"),
			check.Mistake(each(func(s stack) int { return s.kernel*s.in*s.channels + (s.layers-1)*s.kernel*s.channels*s.channels }), "you took the kernel's side for its area: a kernel has k·k weights"))
	})
	t.Run("Activations", func(t *testing.T) {
		defer check.Rescue(t)
		each := func(f func(s stack) int) map[string]int {
			return named(func(s stack) string { return fmt.Sprintf("Activations(%d, 14, 9, %d)", s.layers, s.channels) }, f)
		}
		check.Equal(t, "output values from Activations(layers, h, w, channels)",
			each(func(s stack) int { return filtersize.Activations(s.layers, 14, 9, s.channels) }),
			each(func(s stack) int { return s.layers * 14 * 9 * s.channels }), check.Exact,
			check.Why("every layer has channels maps of h×w"),
			check.Mistake(each(func(s stack) int { return 14 * 9 * s.channels }), "you counted one layer's maps only: the backward pass needs those of every layer"),
			check.Mistake(each(func(s stack) int { return s.layers * 14 * 14 * s.channels }), "you took h for w: the maps need not be square"))
	})
	check.Independent(t, "Params(kernel, layers, in, channels)", filtersize.Params, check.Args{3, 2, 4, 5}, check.Args{5, 3, 6, 7})
	check.Independent(t, "Activations(layers, h, w, channels)", filtersize.Activations, check.Args{3, 2, 4, 5}, check.Args{5, 3, 6, 7})
}

// paramsCount says whether the learner's Params is right for the two stacks of a stem. If it is not, Cheapest's answers tell nothing of Cheapest.
func paramsCount() (right bool) {
	defer func() { right = right && recover() == nil }()
	return filtersize.Params(7, 1, 3, 64) == 9_408 && filtersize.Params(3, 3, 3, 64) == 75_456
}

func TestCheapest(t *testing.T) {
	defer check.Rescue(t)
	cases := []struct {
		field, in, channels int
		want, largest, deep string // by mistake: always one large kernel, always 3×3
	}{
		{7, 64, 64, "3 layers of 3×3", "1 layer of 7×7", "3 layers of 3×3"},
		{7, 3, 64, "1 layer of 7×7", "1 layer of 7×7", "3 layers of 3×3"},
		{11, 96, 96, "5 layers of 3×3", "1 layer of 11×11", "5 layers of 3×3"},
		{5, 9, 16, "1 layer of 5×5", "1 layer of 5×5", "2 layers of 3×3"},
		{9, 20, 64, "1 layer of 9×9", "1 layer of 9×9", "4 layers of 3×3"},
		{9, 26, 64, "4 layers of 3×3", "1 layer of 9×9", "4 layers of 3×3"},
		{9, 60, 64, "4 layers of 3×3", "1 layer of 9×9", "4 layers of 3×3"},
		{3, 1, 100, "1 layer of 3×3", "1 layer of 3×3", "1 layer of 3×3"},
	}
	pick := func(f func(i int) string) map[string]string {
		out := map[string]string{}
		for i, c := range cases {
			out[fmt.Sprintf("Cheapest(%d, %d, %d)", c.field, c.in, c.channels)] = f(i)
		}
		return out
	}
	got := pick(func(i int) string {
		kernel, layers := filtersize.Cheapest(cases[i].field, cases[i].in, cases[i].channels)
		if layers == 1 {
			return fmt.Sprintf("1 layer of %d×%d", kernel, kernel)
		}
		return fmt.Sprintf("%d layers of %d×%d", layers, kernel, kernel)
	})
	tie := pick(func(i int) string { return cases[i].want })
	tie["Cheapest(5, 9, 16)"] = "2 layers of 3×3"
	short := pick(func(i int) string { return cases[i].deep })
	short["Cheapest(3, 1, 100)"] = "0 layers of 0×0"
	opts := []check.Option{check.Why("Cheapest is about weights, and Params does not count them rightly yet: see TestParams")}
	if paramsCount() {
		opts = []check.Option{
			check.Why("the fewest weights among odd kernels that reach the field exactly; at a tie fewer layers"),
			check.Mistake(pick(func(i int) string { return cases[i].largest }), "you took one large kernel every time: with many input channels a stack of small ones has fewer weights"),
			check.Mistake(pick(func(i int) string { return cases[i].deep }), "you took 3×3 every time, or ignored that the first layer reads `in` channels: with few of them one large kernel has fewer weights"),
			check.Mistake(short, "you left out the single kernel that is as large as the field itself"),
			check.Mistake(tie, "you took the deeper stack at a tie: 9 to 16 channels cost 3,600 weights either way, and one layer is fewer"),
		}
	}
	check.Equal(t, "stack from Cheapest(field, in, channels)", got, pick(func(i int) string { return cases[i].want }), check.Exact, opts...)
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Cheapest(6, 3, 64)", func() { filtersize.Cheapest(6, 3, 64) })
		check.Panics(t, "Cheapest(0, 3, 64)", func() { filtersize.Cheapest(0, 3, 64) })
		check.Panics(t, "Cheapest(1, 3, 64)", func() { filtersize.Cheapest(1, 3, 64) })
		check.Panics(t, "Cheapest(-3, 3, 64)", func() { filtersize.Cheapest(-3, 3, 64) })
	})
	check.Independent(t, "Cheapest(field, in, channels)", filtersize.Cheapest, check.Args{7, 3, 3}, check.Args{9, 1, 64})
}

func TestCompose(t *testing.T) {
	defer check.Rescue(t)
	type composeCase struct {
		Name                            string
		A, B, Both, Correlated, Flipped check.Array
	}
	for _, c := range check.Golden[composeCase](t, "compose") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			a, b := c.A.Dense(), c.B.Dense()
			got := filtersize.Compose(a, b)
			opts := []check.Option{check.Kept("a", a, c.A.Dense()), check.Kept("b", b, c.B.Dense())}
			p, q := c.A.Dense().Dims()
			r, s := c.B.Dense().Dims()
			if min(p, r) > 1 || min(q, s) > 1 { // otherwise no two pairs of taps meet
				last := mat.NewDense(p+r-1, q+s-1, nil)
				for k := range p * q * r * s {
					i, j, m, n := k/(q*r*s), k/(r*s)%q, k/s%r, k%s
					last.Set(i+m, j+n, c.A.Dense().At(i, j)*c.B.Dense().At(m, n))
				}
				opts = append(opts, check.Mistake(last, "you overwrote: several pairs of taps lead to the same pixel, and their products add up"))
			}
			check.Equal(t, "Compose(a, b)", got, c.Both.Dense(), tol, append(opts,
				check.Why("a tap of a, followed by a tap of b, reads the pixel at the sum of their places"),
				check.Mistake(c.Correlated.Dense(), "you slid b over a without turning it round: the places of two taps add up, which is a convolution in the strict sense"),
				check.Mistake(c.Flipped.Dense(), "you turned both kernels round: the result is reversed along both axes"))...)
		})
	}
	rng := check.Rand(t)
	draw := func() check.Args {
		return check.Args{mat.NewDense(2, 3, check.Normal(rng, 6, 1)), mat.NewDense(3, 2, check.Normal(rng, 6, 1))}
	}
	check.Independent(t, "Compose(a, b)", filtersize.Compose, draw(), draw())
	one := mat.NewDense(1, 1, []float64{1}) // what it composes with stays as it is, but for a copy
	check.Independent(t, "Compose(a, one)", filtersize.Compose, check.Args{draw()[0], one}, check.Args{draw()[0], one})
	check.Independent(t, "Compose(one, b)", filtersize.Compose, check.Args{one, draw()[1]}, check.Args{one, draw()[1]})
}

// outer is the sum of separable kernels of the given size.
func outer(t *testing.T, rows, columns int, parts ...filtersize.Separable) *mat.Dense {
	t.Helper()
	sum := mat.NewDense(rows, columns, nil)
	for _, p := range parts {
		require.Equal(t, []int{rows, columns}, []int{len(p.Col), len(p.Row)}, "Col and Row have lengths %d and %d, want %d and %d for a %d×%d kernel", len(p.Col), len(p.Row), rows, columns, rows, columns)
		sum.RankOne(sum, 1, mat.NewVecDense(rows, p.Col), mat.NewVecDense(columns, p.Row))
	}
	return sum
}

func TestSeparate(t *testing.T) {
	defer check.Rescue(t)
	type outerCase struct {
		Name string
		K    check.Array
		Norm float64 // the singular value
	}
	for _, c := range check.Golden[outerCase](t, "outer") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			k := c.K.Dense()
			rows, columns := k.Dims()
			scaled := func(f float64) *mat.Dense {
				var m mat.Dense
				m.Scale(f, c.K.Dense())
				return &m
			}
			got, err := filtersize.Separate(k)
			require.NoError(t, err, "Separate(k) returned an error for a column times a row: rounding leaves its second singular value near 1e-16 of the first, seldom at 0")
			check.Equal(t, "Col·Row of Separate(k)", outer(t, rows, columns, got), c.K.Dense(), tol,
				check.Kept("k", k, c.K.Dense()),
				check.Mistake(scaled(1/c.Norm), "you lost the singular value: U and V have columns of length 1"),
				check.Mistake(scaled(c.Norm), "you multiplied both the column and the row by the singular value: it belongs in once"))
		})
	}
	t.Run("kernels", func(t *testing.T) {
		defer check.Rescue(t)
		cases := []struct {
			name                              string
			k                                 *mat.Dense
			want, any, zero, absolute, strict string // by mistake: no error ever, zeros refused, the second singular value not compared with the first, a bound far below 1e-9
		}{
			{"Sobel", mat.NewDense(3, 3, []float64{1, 0, -1, 2, 0, -2, 1, 0, -1}), "separable", "separable", "separable", "separable", "separable"},
			{"zeros", mat.NewDense(2, 3, nil), "separable", "separable", "error", "separable", "separable"},
			{"one row", mat.NewDense(1, 4, []float64{1, 2, 3, 4}), "separable", "separable", "separable", "separable", "separable"},
			{"Laplace", mat.NewDense(3, 3, []float64{0, 1, 0, 1, -4, 1, 0, 1, 0}), "error", "separable", "error", "error", "error"},
			{"Laplace times 1e-12", mat.NewDense(3, 3, []float64{0, 1e-12, 0, 1e-12, -4e-12, 1e-12, 0, 1e-12, 0}), "error", "separable", "error", "separable", "error"},
			{"a column times a row, but for 1e-7", mat.NewDense(2, 2, []float64{1, 2, 2, 4 + 1e-7}), "error", "separable", "error", "error", "error"},
			{"a column times a row, but for 1e-9", mat.NewDense(2, 2, []float64{1, 2, 2, 4 + 1e-9}), "separable", "separable", "separable", "separable", "error"}, // σ₂ is 4e-11 of σ₁
			{"a column times a row, but for rounding", mat.NewDense(2, 2, []float64{0.1, 0.2, 0.3, 0.6}), "separable", "separable", "separable", "separable", "separable"},
		}
		pick := func(f func(i int) string) map[string]string {
			out := map[string]string{}
			for i, c := range cases {
				out[c.name] = f(i)
			}
			return out
		}
		got := pick(func(i int) string {
			k := cases[i].k
			s, err := filtersize.Separate(check.Copy(k))
			if err != nil {
				return "error"
			}
			rows, columns := k.Dims()
			check.Equal(t, "Col·Row of Separate("+cases[i].name+")", outer(t, rows, columns, s), k, check.Abs(1e-6))
			return "separable"
		})
		for _, c := range cases {
			if c.want == "error" && got[c.name] == "error" {
				_, err := filtersize.Separate(c.k)
				check.Fails(t, "Separate("+c.name+")", err)
			}
		}
		check.Equal(t, "kernels that Separate(k) takes for separable", got, pick(func(i int) string { return cases[i].want }), check.Exact,
			check.Why("an error where the second singular value exceeds 1e-9 of the first"),
			check.Mistake(pick(func(i int) string { return cases[i].any }), "you never returned an error: look at the second singular value"),
			check.Mistake(pick(func(i int) string { return cases[i].absolute }), "you held the second singular value against a fixed number: compare it with the first, so that the scale of the kernel does not matter"),
			check.Mistake(pick(func(i int) string { return cases[i].zero }), "you refused a kernel of zeros: it is a column of zeros times any row"),
			check.Mistake(pick(func(i int) string { return cases[i].strict }), "you refused a kernel whose second singular value is below 1e-9 of the first: the bound is 1e-9"))
	})
	// A column and a row of one kernel may be scaled either way: their product tells what is remembered.
	k, other := mat.NewDense(2, 3, []float64{1, 2, 3, 2, 4, 6}), mat.NewDense(2, 3, []float64{3, 1, 2, -3, -1, -2})
	product := func(k *mat.Dense) *mat.Dense {
		s, _ := filtersize.Separate(k)
		return outer(t, 2, 3, s)
	}
	check.Independent(t, "Separate(k)", filtersize.Separate, check.Args{k}, check.Args{other}, check.AnyAnswer())
	check.Independent(t, "Col·Row of Separate(k)", product, check.Args{k}, check.Args{other})
}

func TestLowRank(t *testing.T) {
	defer check.Rescue(t)
	type rankCase struct {
		Name                             string
		Terms                            int
		K, Best, Lost, Squared, Smallest check.Array
	}
	for _, c := range check.Golden[rankCase](t, "rank") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			k := c.K.Dense()
			rows, columns := k.Dims()
			got := filtersize.LowRank(k, c.Terms)
			require.Len(t, got, c.Terms, "LowRank(k, %d) has %d terms, want %d", c.Terms, len(got), c.Terms)
			check.Equal(t, fmt.Sprintf("the sum of LowRank(k, %d)", c.Terms), outer(t, rows, columns, got...), c.Best.Dense(), tol,
				check.Kept("k", k, c.K.Dense()),
				check.Why("the largest singular values, with their columns and rows"),
				check.Mistake(c.Lost.Dense(), "you lost the singular values: U and V have columns of length 1"),
				check.Mistake(c.Squared.Dense(), "you multiplied both the column and the row by the singular value: it belongs in once"),
				check.Mistake(c.Smallest.Dense(), "you took the smallest singular values: the largest ones carry most of the kernel"))
		})
	}
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		require.Empty(t, filtersize.LowRank(mat.NewDense(2, 3, nil), 0), "LowRank(k, 0) has terms, want none")
		check.Panics(t, "LowRank of a 2×3 kernel with 3 terms", func() { filtersize.LowRank(mat.NewDense(2, 3, nil), 3) })
		check.Panics(t, "LowRank of a 3×2 kernel with 3 terms", func() { filtersize.LowRank(mat.NewDense(3, 2, nil), 3) })
		check.Panics(t, "LowRank with −1 terms", func() { filtersize.LowRank(mat.NewDense(2, 3, nil), -1) })
	})
	rng := check.Rand(t)
	draw := func() check.Args { return check.Args{mat.NewDense(3, 4, check.Normal(rng, 12, 1)), 2} }
	args, others := draw(), draw()
	sum := func(k *mat.Dense, terms int) *mat.Dense { return outer(t, 3, 4, filtersize.LowRank(k, terms)...) }
	check.Independent(t, "LowRank(k, 2)", filtersize.LowRank, args, others, check.AnyAnswer())
	check.Independent(t, "the sum of LowRank(k, 2)", sum, args, others)
}
