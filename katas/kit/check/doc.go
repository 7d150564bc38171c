// Package check is what the tests of every kata judge with. A failure says what was called with what, what came
// back, what was wanted and why, where the two first differ, and, where check recognises it, what the mistake is.
//
// Every test function and every function given to t.Run begins with
//
//	defer check.Rescue(t)
//
// so that a stub, or a panic in the code under test, is reported as such and hides no other step.
//
// Numbers are compared by [Equal] and gradients by [Gradient]. Both name a mistake in two ways: a particular one
// by the value it would give ([Mistake], tried first), and a general one (a constant factor, a flipped sign, a
// transposed matrix, …) by its pattern. The general recognisers speak only of six values or more with at least
// three distinct magnitudes, and only where every value fits to the tolerance; of an offset only where two cases show it; of nothing that
// rounding could be. What one case alone makes look like a mistake is left unnamed where [Consistent] sees all cases.
//
// What a stub's package comment says of all its functions is held by [Independent], [Panics] and [Fails]: calls share no memory and keep
// nothing, and wrong arguments are refused.
package check
