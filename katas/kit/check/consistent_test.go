package check

import (
	"slices"
	"testing"
)

// names returns, for the cases 0, 2, 3 and the wanted answer x², which mistakes are named in each.
func names(answer func(x int) float64) (says [][]string) {
	options := Consistent([]int{0, 2, 3}, Rel(1e-9), answer, func(x int) float64 { return float64(x * x) }, func(x int) []Reading[float64] {
		return []Reading[float64]{{float64(2 * x), "doubled"}, {float64(x * x * x), "cubed"}, {float64(x*x + 1), "one"}, {float64(x*x - 1), "one"}, {8, "always 8"}}
	})
	for _, opts := range options {
		var s []string
		for _, m := range settle(opts).mistakes {
			s = append(s, m.says)
		}
		says = append(says, s)
	}
	return says
}

func TestConsistent(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(x int) float64
		want   [][]string
	}{
		// In case 0 doubling and cubing are right, in case 2 doubling is; and there 8 may be a cube or always 8. In case 3 it may be one less.
		{"right", func(x int) float64 { return float64(x * x) }, [][]string{{"one", "one", "always 8"}, {"one", "one"}, {"doubled", "cubed", "one"}}},
		{"doubled", func(x int) float64 { return float64(2 * x) }, [][]string{nil, nil, {"doubled"}}},
		{"one more or less", func(x int) float64 { return float64(x*x + 1 - x&2) }, [][]string{{"one", "one"}, {"one", "one"}, {"one"}}},
		{"one more in one case", func(x int) float64 { return float64(max(x*x, 5)) }, [][]string{nil, nil, nil}},
		{"a panic", func(x int) float64 {
			if x == 0 {
				panic("0")
			}
			return float64(x*x + 1)
		}, [][]string{nil, nil, nil}},
	} {
		got := names(c.answer)
		for i := range c.want {
			if !slices.Equal(got[i], c.want[i]) {
				t.Errorf("%s: case %d names %q, want %q", c.name, i, got[i], c.want[i])
			}
		}
	}
}
