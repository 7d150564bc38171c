package filtersize_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	filtersize "whyhow/katas/q15-filter-size"
)

const singles = "you computed in 32 bits: they hold numbers below 2³¹"

var tol = check.Tol{Rel: 1e-9, Abs: 1e-11}

func TestStackField(t *testing.T) {
	defer check.Rescue(t)
	t.Run("StackField", func(t *testing.T) {
		defer check.Rescue(t)
		each := func(f func(kernel, layers int) int) map[string]int {
			out := map[string]int{}
			for _, c := range [][2]int{{3, 1}, {3, 3}, {3, 5}, {5, 2}, {4, 3}, {7, 0}, {1, 6}, {3, 1 << 31}} {
				out[fmt.Sprintf("StackField(%d, %d)", c[0], c[1])] = f(c[0], c[1])
			}
			return out
		}
		check.Equal(t, "receptive field from StackField(kernel, layers)", each(filtersize.StackField), each(func(k, n int) int { return n*(k-1) + 1 }), check.Exact,
			check.Why("each layer adds one less than its kernel"),
			check.Mistake(each(func(k, n int) int { return n * k }), "you multiplied kernel and layers: neighbouring kernels overlap, each layer adds one less than its kernel"),
			check.Mistake(each(func(k, n int) int { return n * (k - 1) }), "you left out the pixel itself: no layer at all has field 1"),
			check.Mistake(each(func(k, n int) int { return int(int32(n*(k-1) + 1)) }), singles))
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
			first                        string // by mistake: a kernel of 1 refused first, whatever the field
		}{
			{7, 3, "3", "3", "3", "2", "3", "3", "3"},
			{11, 3, "5", "5", "5", "3", "5", "5", "5"},
			{11, 11, "1", "1", "1", "1", "1", "1", "1"},
			{9, 5, "2", "2", "2", "1", "2", "2", "2"},
			{2, 2, "1", "1", "1", "1", "1", "1", "1"},
			{6, 2, "5", "5", "5", "3", "5", "5", "5"},
			{1, 3, "0", "0", "0", "0", "error", "0", "0"},
			{1, 2, "0", "0", "0", "0", "error", "0", "0"},
			{1, 7, "0", "0", "0", "0", "error", "0", "0"},
			{1, 1, "0", "0", "0", "1", "error", "0", "error"},
			{8, 3, "error", "3", "4", "2", "error", "error", "error"},
			{11, 4, "error", "3", "4", "2", "error", "error", "error"},
			{2, 3, "error", "0", "1", "0", "error", "error", "error"},
			{5, 1, "error", "error", "error", "5", "error", "error", "error"},
			{0, 3, "error", "error", "error", "0", "error", "error", "error"},
			{0, 2, "error", "error", "error", "0", "error", "-1", "error"},
			{-3, 3, "error", "error", "error", "error", "error", "-2", "error"},
			{3, 0, "error", "error", "error", "error", "error", "-2", "error"},
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
			check.Mistake(pick(func(i int) string { return cases[i].first }), "you refused a kernel of 1 before you looked at the field: no layer at all has the field 1, whatever the kernel"),
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
		for _, s := range []stack{{3, 3, 64, 64}, {7, 1, 64, 64}, {3, 3, 3, 64}, {7, 1, 3, 64}, {5, 2, 10, 6}, {3, 3, 1001, 4099}, {3, 2, 1 << 16, 1 << 15}} {
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
			check.Mistake(each(func(s stack) int { return s.kernel*s.in*s.channels + (s.layers-1)*s.kernel*s.channels*s.channels }), "you took the kernel's side for its area: a kernel has k·k weights"),
			check.Mistake(each(func(s stack) int {
				return int(int32(s.kernel * s.kernel * s.channels * (s.in + (s.layers-1)*s.channels)))
			}), singles))
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
		var none []check.Option
		if filtersize.Activations(2, 14, 9, 3) == 2*14*9*3 { // who counts one layer's maps only counts them here too
			none = append(none, check.Mistake(14*9*3, "you counted a layer where there is none"))
		}
		check.Equal(t, "Activations(0, 14, 9, 3)", filtersize.Activations(0, 14, 9, 3), 0, check.Exact, append(none, check.Why("a stack without layers has no maps"))...)
		many := 1<<31 + 1
		check.Equal(t, "Activations(2, 1, 1, 2³¹+1)", filtersize.Activations(2, 1, 1, many), 2*many, check.Exact, check.Mistake(int(int32(2*many)), singles))
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
		{21, 64, 64, "10 layers of 3×3", "1 layer of 21×21", "10 layers of 3×3"},
		{9, 1, 64, "1 layer of 9×9", "1 layer of 9×9", "4 layers of 3×3"},
		{15, 1, 64, "1 layer of 15×15", "1 layer of 15×15", "7 layers of 3×3"},
		{5, 4, 7, "2 layers of 3×3", "1 layer of 5×5", "2 layers of 3×3"}, // 693 weights against 700
		{5, 100, 16, "2 layers of 3×3", "1 layer of 5×5", "2 layers of 3×3"},
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
	exchanged := pick(func(i int) string { // field²·channels·in for one layer, 9·in·(channels + (layers − 1)·in) for a stack
		c := cases[i]
		if layers := (c.field - 1) / 2; c.field*c.field*c.channels <= 9*(c.channels+(layers-1)*c.in) {
			return c.largest
		}
		return c.deep
	})
	short := pick(func(i int) string { return cases[i].deep })
	short["Cheapest(9, 1, 64)"] = "2 layers of 5×5" // which is not 3×3 every time
	none := maps.Clone(short)
	none["Cheapest(3, 1, 100)"] = "0 layers of 0×0"
	const alone = "you left out the single kernel that is as large as the field itself"
	opts := []check.Option{check.Why("Cheapest is about weights, and Params does not count them rightly yet: see TestParams")}
	if paramsCount() {
		opts = []check.Option{
			check.Why("the fewest weights among odd kernels that reach the field exactly; at a tie fewer layers"),
			check.Mistake(pick(func(i int) string { return cases[i].largest }), "you took one large kernel every time: with many input channels a stack of small ones has fewer weights"),
			check.Mistake(pick(func(i int) string { return cases[i].deep }), "you took 3×3 every time, or ignored that the first layer reads `in` channels: with few of them one large kernel has fewer weights"),
			check.Mistake(exchanged, "you exchanged in and channels"),
			check.Mistake(short, alone),
			check.Mistake(none, alone),
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
	got, both := map[string]*mat.Dense{}, map[string]*mat.Dense{}
	overwritten, correlated, flipped, rows, columns := map[string]*mat.Dense{}, map[string]*mat.Dense{}, map[string]*mat.Dense{}, map[string]*mat.Dense{}, map[string]*mat.Dense{}
	for _, c := range check.Golden[composeCase](t, "compose") {
		a, b := c.A.Dense(), c.B.Dense()
		p, q := a.Dims()
		r, s := b.Dims()
		// place puts the product of two taps where at says; they add up, or the last one stays.
		place := func(at func(m, n int) (int, int), add bool) *mat.Dense {
			out := mat.NewDense(p+r-1, q+s-1, nil)
			for k := range p * q * r * s {
				i, j, m, n := k/(q*r*s), k/(r*s)%q, k/s%r, k%s
				product := a.At(i, j) * b.At(m, n)
				m, n = at(m, n)
				if add {
					product += out.At(i+m, j+n)
				}
				out.Set(i+m, j+n, product)
			}
			return out
		}
		name := fmt.Sprintf("Compose(a %d×%d, b %d×%d)", p, q, r, s)
		got[name], both[name] = filtersize.Compose(check.Copy(a), check.Copy(b)), c.Both.Dense()
		overwritten[name] = place(func(m, n int) (int, int) { return m, n }, false)
		correlated[name], flipped[name] = c.Correlated.Dense(), c.Flipped.Dense()
		rows[name] = place(func(m, n int) (int, int) { return r - 1 - m, n }, true)
		columns[name] = place(func(m, n int) (int, int) { return m, s - 1 - n }, true)
	}
	const one = "you slid b over a turned round along one axis only: the places of two taps add up along both"
	check.Equal(t, "the kernels", got, both, tol,
		check.Why("a tap of a, followed by a tap of b, reads the pixel at the sum of their places"),
		check.Mistake(overwritten, "you overwrote: several pairs of taps lead to the same pixel, and their products add up"),
		check.Mistake(correlated, "you slid b over a without turning it round: the places of two taps add up, which is a convolution in the strict sense"),
		check.Mistake(flipped, "you turned both kernels round: the result is reversed along both axes"),
		check.Mistake(rows, one), check.Mistake(columns, one))
	rng := check.Rand(t)
	draw := func() check.Args {
		return check.Args{mat.NewDense(2, 3, check.Normal(rng, 6, 1)), mat.NewDense(3, 2, check.Normal(rng, 6, 1))}
	}
	check.Independent(t, "Compose(a, b)", filtersize.Compose, draw(), draw())
	pixel := mat.NewDense(1, 1, []float64{1}) // what it composes with stays as it is, but for a copy
	check.Independent(t, "Compose(a, pixel)", filtersize.Compose, check.Args{draw()[0], pixel}, check.Args{draw()[0], pixel})
	check.Independent(t, "Compose(pixel, b)", filtersize.Compose, check.Args{pixel, draw()[1]}, check.Args{pixel, draw()[1]})
}

const rowOfV = "you took a row of V for a column: gonum's V holds a singular vector a column, numpy's Vh a row"

// decomposed is the sum of parts that come from a singular value decomposition of k: part makes a column and a row of its tth value and vectors.
func decomposed(k *mat.Dense, terms int, part func(t int, u, v *mat.Dense, values []float64) (scale float64, col, row mat.Vector)) *mat.Dense {
	var svd mat.SVD
	svd.Factorize(k, mat.SVDFull)
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	values := svd.Values(nil)
	rows, columns := k.Dims()
	sum := mat.NewDense(rows, columns, nil)
	for t := range terms {
		scale, col, row := part(t, &u, &v, values)
		sum.RankOne(sum, scale, col, row)
	}
	return sum
}

// slips are what likely mistakes make of k.
func slips(kernels map[string]*mat.Dense, terms map[string]int) []check.Option {
	each := func(part func(t int, u, v *mat.Dense, values []float64) (float64, mat.Vector, mat.Vector)) map[string]*mat.Dense {
		all := map[string]*mat.Dense{}
		for name, k := range kernels {
			all[name] = decomposed(k, terms[name], part)
		}
		return all
	}
	return []check.Option{
		check.Mistake(each(func(t int, u, v *mat.Dense, _ []float64) (float64, mat.Vector, mat.Vector) {
			return 1, u.ColView(t), v.ColView(t)
		}),
			"you lost the singular value: U and V have columns of length 1"),
		check.Mistake(each(func(t int, u, v *mat.Dense, values []float64) (float64, mat.Vector, mat.Vector) {
			return values[t] * values[t], u.ColView(t), v.ColView(t)
		}), "you multiplied both the column and the row by the singular value: it belongs in once"),
		check.Mistake(each(func(t int, u, v *mat.Dense, values []float64) (float64, mat.Vector, mat.Vector) {
			return math.Sqrt(values[t]), u.ColView(t), v.ColView(t)
		}), "you multiplied one of the two by the root of the singular value: both need it, or one needs the whole"),
		check.Mistake(each(func(t int, u, v *mat.Dense, values []float64) (float64, mat.Vector, mat.Vector) {
			return values[t], u.ColView(t), v.RowView(t)
		}), rowOfV),
	}
}

// outer is the sum of separable kernels of the given size.
func outer(t *testing.T, rows, columns int, parts ...filtersize.Separable) *mat.Dense {
	t.Helper()
	sum := mat.NewDense(rows, columns, nil)
	for _, p := range parts {
		var opts []check.Option
		if rows != columns {
			opts = append(opts, check.Mistake([]int{columns, rows}, "you exchanged Col and Row"))
		}
		if rows < columns {
			opts = append(opts, check.Mistake([]int{rows, rows}, rowOfV))
		}
		if !check.Equal(t, fmt.Sprintf("lengths of Col and Row for a %d×%d kernel", rows, columns), []int{len(p.Col), len(p.Row)}, []int{rows, columns}, check.Exact, opts...) {
			t.FailNow()
		}
		sum.RankOne(sum, 1, mat.NewVecDense(rows, p.Col), mat.NewVecDense(columns, p.Row))
	}
	return sum
}

func TestSeparate(t *testing.T) {
	defer check.Rescue(t)
	type outerCase struct {
		Name string
		K    check.Array
	}
	right := t.Run("products", func(t *testing.T) {
		defer check.Rescue(t)
		kernels, got, terms := map[string]*mat.Dense{}, map[string]*mat.Dense{}, map[string]int{}
		opts := []check.Option{check.Why("Col·Row is k")}
		for _, c := range check.Golden[outerCase](t, "outer") {
			k := c.K.Dense()
			rows, columns := k.Dims()
			separable, err := filtersize.Separate(k)
			if !check.Equal(t, "Separate(k) returns an error", err != nil, false, check.Exact, check.With("k", c.K.Dense()), check.With("error", fmt.Sprint(err)),
				check.Why("k is a column times a row: rounding leaves its second singular value near 1e-16 of the first, seldom at 0")) {
				return
			}
			kernels[c.Name], terms[c.Name], got[c.Name] = c.K.Dense(), 1, outer(t, rows, columns, separable)
			opts = append(opts, check.Kept("k", k, c.K.Dense()))
		}
		check.Equal(t, "Col·Row of Separate(k)", got, kernels, tol, append(opts, slips(kernels, terms)...)...)
	})
	if !right {
		return
	}
	t.Run("kernels", func(t *testing.T) {
		defer check.Rescue(t)
		cases := []struct {
			name                              string
			k                                 *mat.Dense
			want, any, zero, absolute, strict string // by mistake: no error ever, zeros refused, the second singular value not compared with the first, a bound far below 1e-9
			corner                            string // by mistake: divided by the value in the corner
		}{
			{"Sobel", mat.NewDense(3, 3, []float64{1, 0, -1, 2, 0, -2, 1, 0, -1}), "separable", "separable", "separable", "separable", "separable", "separable"},
			{"zeros", mat.NewDense(2, 3, nil), "separable", "separable", "error", "separable", "separable", "error"},
			{"one row", mat.NewDense(1, 4, []float64{1, 2, 3, 4}), "separable", "separable", "separable", "separable", "separable", "separable"},
			{"one column", mat.NewDense(3, 1, []float64{2, -1, 4}), "separable", "separable", "separable", "separable", "separable", "separable"},
			{"Sobel, lying", mat.NewDense(3, 3, []float64{1, 2, 1, 0, 0, 0, -1, -2, -1}), "separable", "separable", "separable", "separable", "separable", "separable"},
			{"a 0 in the corner", mat.NewDense(3, 3, []float64{0, 1, 3, 0, 2, 6, 0, -1, -3}), "separable", "separable", "separable", "separable", "separable", "error"},
			{"a first row of zeros", mat.NewDense(3, 2, []float64{0, 0, 1, 2, 3, 6}), "separable", "separable", "separable", "separable", "separable", "error"},
			{"zeros but for the last value", mat.NewDense(2, 3, []float64{0, 0, 0, 0, 0, 5}), "separable", "separable", "separable", "separable", "separable", "error"},
			{"Sobel times 1e6", mat.NewDense(3, 3, []float64{1e6, 0, -1e6, 2e6, 0, -2e6, 1e6, 0, -1e6}), "separable", "separable", "separable", "separable", "separable", "separable"},
			{"Laplace", mat.NewDense(3, 3, []float64{0, 1, 0, 1, -4, 1, 0, 1, 0}), "error", "separable", "error", "error", "error", "error"},
			{"identity", mat.NewDense(2, 2, []float64{1, 0, 0, 1}), "error", "separable", "error", "error", "error", "error"},
			{"Laplace times 1e-12", mat.NewDense(3, 3, []float64{0, 1e-12, 0, 1e-12, -4e-12, 1e-12, 0, 1e-12, 0}), "error", "separable", "error", "separable", "error", "error"},
			{"a column times a row, but for 1e-7", mat.NewDense(2, 2, []float64{1, 2, 2, 4 + 1e-7}), "error", "separable", "error", "error", "error", "error"},
			{"1 and 1.1e-9 on the diagonal", mat.NewDense(2, 2, []float64{1, 0, 0, 1.1e-9}), "error", "separable", "error", "error", "error", "error"},
			{"1 and 0.9e-9 on the diagonal", mat.NewDense(2, 2, []float64{1, 0, 0, 0.9e-9}), "separable", "separable", "separable", "separable", "error", "separable"},
			{"a column times a row, but for 1e-9", mat.NewDense(2, 2, []float64{1, 2, 2, 4 + 1e-9}), "separable", "separable", "separable", "separable", "error", "separable"}, // σ₂ is 4e-11 of σ₁
			{"a column times a row, but for rounding", mat.NewDense(2, 2, []float64{0.1, 0.2, 0.3, 0.6}), "separable", "separable", "separable", "separable", "separable", "separable"},
		}
		pick := func(f func(i int) string) map[string]string {
			out := map[string]string{}
			for i, c := range cases {
				out[c.name] = f(i)
			}
			return out
		}
		products, kernels := map[string]*mat.Dense{}, map[string]*mat.Dense{}
		got := pick(func(i int) string {
			k := cases[i].k
			s, err := filtersize.Separate(check.Copy(k))
			if err != nil {
				return "error"
			}
			rows, columns := k.Dims()
			product := outer(t, rows, columns, s)
			if slices.ContainsFunc(product.RawMatrix().Data, math.IsNaN) {
				return "NaN"
			}
			products[cases[i].name], kernels[cases[i].name] = product, k
			return "separable"
		})
		for _, c := range cases {
			if c.want == "error" && got[c.name] == "error" {
				_, err := filtersize.Separate(c.k)
				check.Fails(t, "Separate("+c.name+")", err)
			}
		}
		if !check.Equal(t, "kernels that Separate(k) takes for separable", got, pick(func(i int) string { return cases[i].want }), check.Exact,
			check.Why("an error where the second singular value exceeds 1e-9 of the first"),
			check.Mistake(pick(func(i int) string { return cases[i].any }), "you never returned an error: look at the second singular value"),
			check.Mistake(pick(func(i int) string { return cases[i].absolute }), "you held the second singular value against a fixed number: compare it with the first, so that the scale of the kernel does not matter"),
			check.Mistake(pick(func(i int) string { return cases[i].zero }), "you refused a kernel of zeros: it is a column of zeros times any row"),
			check.Mistake(pick(func(i int) string { return cases[i].strict }), "you refused a kernel whose second singular value is below 1e-9 of the first: the bound is 1e-9"),
			check.Mistake(pick(func(i int) string { return cases[i].corner }), "you divided by the value in the corner of the kernel: it may be 0"),
			check.Mistake(pick(func(i int) string {
				if cases[i].corner == "error" && cases[i].want == "separable" && (cases[i].name != "zeros") {
					return "NaN"
				}
				return cases[i].want
			}), "you divided by the value in the corner of the kernel: it may be 0")) {
			return
		}
		nearly := mat.NewDense(2, 3, []float64{1e-17, 0, 0, 0, 0, 5})
		if s, err := filtersize.Separate(check.Copy(nearly)); check.Equal(t, "Separate(5, but for 1e-17 in the corner) returns an error", err != nil, false, check.Exact) {
			products["5, but for 1e-17 in the corner"], kernels["5, but for 1e-17 in the corner"] = outer(t, 2, 3, s), nearly
		}
		check.Equal(t, "Col·Row of Separate(k)", products, kernels, check.Tol{Rel: 1e-9, Abs: 1e-6})
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
		Name              string
		Terms             int
		K, Best, Smallest check.Array
	}
	t.Run("sums", func(t *testing.T) {
		defer check.Rescue(t)
		kernels, terms := map[string]*mat.Dense{}, map[string]int{}
		best, smallest, first := map[string]*mat.Dense{}, map[string]*mat.Dense{}, map[string]*mat.Dense{}
		for _, c := range check.Golden[rankCase](t, "rank") {
			kernels[c.Name], terms[c.Name], best[c.Name], smallest[c.Name] = c.K.Dense(), c.Terms, c.Best.Dense(), c.Smallest.Dense()
		}
		const all, rank1 = "all terms of a square kernel", "two terms of a column times a row"
		square, product := mat.NewDense(3, 3, []float64{5, 1, 0, 2, 3, -1, 0, 1, 1}), mat.NewDense(2, 3, []float64{1, 2, 3, 2, 4, 6})
		kernels[all], terms[all], best[all], smallest[all] = square, 3, square, square
		kernels[rank1], terms[rank1], best[rank1], smallest[rank1] = product, 2, product, product
		for name, k := range kernels {
			first[name] = decomposed(k, terms[name], func(_ int, u, v *mat.Dense, values []float64) (float64, mat.Vector, mat.Vector) {
				return values[0], u.ColView(0), v.ColView(0)
			})
		}
		lengths, wanted := map[string]int{}, map[string]int{}
		got := map[string]*mat.Dense{}
		opts := []check.Option{check.Why("the largest singular values, with their columns and rows; all terms together are k")}
		parts := map[string][]filtersize.Separable{}
		for name, k := range kernels {
			passed := mat.DenseCopyOf(k) // no view: where one argument is, no mistake is named
			parts[name] = filtersize.LowRank(passed, terms[name])
			opts = append(opts, check.Kept("k", passed, k))
			lengths[name], wanted[name] = len(parts[name]), terms[name]
		}
		if !check.Equal(t, "number of terms of LowRank(k, terms)", lengths, wanted, check.Exact, check.Why("as many as asked for, be they 0")) {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(kernels)) {
			rows, columns := kernels[name].Dims()
			got[name] = outer(t, rows, columns, parts[name]...)
		}
		check.Equal(t, "the sum of LowRank(k, terms)", got, best, tol, append(append(opts, slips(kernels, terms)...),
			check.Mistake(first, "you took the largest part every time"),
			check.Mistake(smallest, "you took the smallest singular values: the largest ones carry most of the kernel"))...)
	})
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "number of terms of LowRank(k, 0)", len(filtersize.LowRank(mat.NewDense(2, 3, nil), 0)), 0, check.Exact)
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
