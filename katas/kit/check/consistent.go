package check

import "slices"

// Reading is what a mistake gives in one case, and the mistake's name.
type Reading[T any] struct {
	value T
	says  string
}

// Reads returns the reading of a mistake. One name may have several values in a case, where a mistake is made in several ways.
func Reads[T any](value T, says string) Reading[T] { return Reading[T]{value, says} }

// Consistent returns the options of [Mistake] for the comparison of every case. A reading names a mistake where its value can be told from the right
// one and from that of another mistake, and only if no answer to another case contradicts it: what looks like a mistake in one case alone
// is another one. Right answers contradict nothing.
func Consistent[C, T any](cases []C, tol Tol, answer, want func(c C) T, readings func(c C) []Reading[T]) [][]Option {
	right, contradicted := true, map[string]bool{}
	told := make([][]Reading[T], len(cases))
	for i, c := range cases {
		got, ok := attempt(func() T { return answer(c) })
		says := func(value T) bool { return ok && len(compare(got, value, tol)) == 0 }
		right = right && says(want(c))
		all := readings(c)
		told[i] = apart(all, want(c), tol.times(100))
		for _, r := range told[i] {
			shown := slices.ContainsFunc(all, func(other Reading[T]) bool { return other.says == r.says && says(other.value) })
			contradicted[r.says] = contradicted[r.says] || !shown
		}
	}
	options := make([][]Option, len(cases))
	for i := range cases {
		for _, r := range told[i] {
			if right || !contradicted[r.says] {
				options[i] = append(options[i], Mistake(r.value, r.says))
			}
		}
	}
	return options
}

// apart returns the readings that can be told from want and from those with another name.
func apart[T any](readings []Reading[T], want T, tol Tol) (told []Reading[T]) {
	for _, r := range readings {
		alone := len(compare(r.value, want, tol)) > 0
		for _, other := range readings {
			alone = alone && (other.says == r.says || len(compare(r.value, other.value, tol)) > 0)
		}
		if alone {
			told = append(told, r)
		}
	}
	return told
}

// attempt calls f; ok is false if it panics.
func attempt[T any](f func() T) (value T, ok bool) {
	defer func() { ok = recover() == nil }()
	return f(), true
}
