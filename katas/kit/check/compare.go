package check

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// difference is one place where got and want disagree: numbers as blocks, anything else as values.
type difference struct {
	path      string
	got, want any
}

// compare lists the differences between got and want, each array of numbers being one. It calls none of their methods:
// an Equal of the code under test would be its own judge.
func compare(got, want any, tol Tol) []difference { return comparison{tol: tol}.of(got, want) }

type comparison struct {
	tol    Tol
	opaque []reflect.Type // values of these types are the same only if == says so
	errors bool           // one error is as good as another
	diffs  []difference
	met    map[[2]reference]bool // pairs that are being compared, or were: a cycle ends here
}

func (c comparison) of(got, want any) []difference {
	c.met = map[[2]reference]bool{}
	c.walk("", reflect.ValueOf(got), reflect.ValueOf(want))
	return c.diffs
}

// reference is what a pointer, a map or a slice refers to.
type reference struct {
	of     reflect.Type
	at     uintptr
	length int // of a slice
}

func referenceOf(v reflect.Value) reference {
	r := reference{of: v.Type(), at: v.Pointer()}
	if v.Kind() == reflect.Slice {
		r.length = v.Len()
	}
	return r
}

func (c *comparison) check(same bool, path string, got, want reflect.Value) {
	if !same {
		c.diffs = append(c.diffs, difference{path, valueOf(got), valueOf(want)})
	}
}

// valueOf is what v holds, nil if it holds nothing.
func valueOf(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	return v.Interface()
}

func (c *comparison) walk(path string, got, want reflect.Value) {
	if c.errors && isError(got) && isError(want) {
		return
	}
	g, gok := blockOf(valueOf(got))
	w, wok := blockOf(valueOf(want))
	switch {
	case gok && wok:
		c.check(g.agree(w, c.tol), path, got, want)
		return
	case !got.IsValid() || !want.IsValid() || got.Type() != want.Type():
		c.check(got.IsValid() == want.IsValid() && !got.IsValid(), path, got, want)
		return
	}
	if slices.Contains(c.opaque, got.Type()) {
		c.check(got.Equal(want), path, got, want)
		return
	}
	switch got.Kind() {
	case reflect.Pointer:
		if got.IsNil() || want.IsNil() {
			c.check(got.IsNil() == want.IsNil(), path, got, want)
		} else if c.enter(got, want) {
			c.walk(path, got.Elem(), want.Elem())
		}
	case reflect.Interface:
		c.walk(path, got.Elem(), want.Elem())
	case reflect.Slice, reflect.Array:
		if got.Len() != want.Len() {
			c.check(false, path, got, want)
		} else if got.Kind() == reflect.Array || c.enter(got, want) {
			for i := range got.Len() {
				c.walk(fmt.Sprintf("%s[%d]", path, i), got.Index(i), want.Index(i))
			}
		}
	case reflect.Map:
		if c.enter(got, want) {
			c.maps(path, got, want)
		}
	case reflect.Struct:
		exported := got.NumField() == 0
		for i := range got.NumField() {
			if field := got.Type().Field(i); field.IsExported() {
				exported = true
				c.walk(path+"."+field.Name, got.Field(i), want.Field(i))
			}
		}
		if !exported { // nothing can be compared: that must not look like agreement
			c.check(false, path, got, want)
		}
	case reflect.Float32, reflect.Float64:
		c.check(c.tol.agree(got.Float(), want.Float()), path, reflect.ValueOf(got.Float()), reflect.ValueOf(want.Float()))
	case reflect.Func:
		c.check(got.IsNil() && want.IsNil(), path, got, want)
	default: // what is left is compared by ==: bools, whole and complex numbers, strings, channels, unsafe pointers
		c.check(got.Equal(want), path, got, want)
	}
}

func isError(v reflect.Value) bool {
	return v.IsValid() && v.Type().Implements(reflect.TypeFor[error]())
}

// enter says whether what got and want refer to is still to be compared.
func (c *comparison) enter(got, want reflect.Value) bool {
	pair := [2]reference{referenceOf(got), referenceOf(want)}
	if got.Kind() != reflect.Map && pair[0] == pair[1] || c.met[pair] {
		return false
	}
	c.met[pair] = true
	return true
}

// maps compares by key, in the order of the keys. A NaN is a key that no look-up finds: of these only the number must agree.
func (c *comparison) maps(path string, got, want reflect.Value) {
	before := len(c.diffs)
	for _, key := range keys(got, want) {
		if g, w := got.MapIndex(key), want.MapIndex(key); g.IsValid() || w.IsValid() {
			c.walk(fmt.Sprintf("%s[%s]", path, text(key, 0)), g, w)
		}
	}
	if len(c.diffs) == before {
		c.check(got.Len() == want.Len(), path, got, want)
	}
}

// keys returns the keys of the maps, each once, sorted by what is shown of them.
func keys(all ...reflect.Value) []reflect.Value {
	var sorted []reflect.Value
	for i, m := range all {
		for _, key := range m.MapKeys() {
			if i == 0 || !all[0].MapIndex(key).IsValid() {
				sorted = append(sorted, key)
			}
		}
	}
	slices.SortStableFunc(sorted, func(a, b reflect.Value) int {
		switch {
		case a.CanInt():
			return cmp.Compare(a.Int(), b.Int())
		case a.CanFloat():
			return cmp.Compare(a.Float(), b.Float())
		}
		return cmp.Compare(text(a, 0), text(b, 0))
	})
	return sorted
}

// render shows a value to a person, without a call of its methods: String, Error or Format of the code under test may say
// anything.
func render(v any) string {
	if v == nil {
		return "nothing"
	}
	if s, ok := v.(string); ok {
		return cut(fmt.Sprintf("%q", s), longestShown)
	}
	return cut(text(reflect.ValueOf(v), 0), longestShown)
}

// longestShown is how many characters are shown of a value, deepest how far down.
const (
	longestShown = 400
	deepest      = 6
)

func cut(s string, longest int) string {
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}

// text is v as fmt's %v has it, but for methods, for pointers, which are followed, and for arrays of numbers.
func text(v reflect.Value, depth int) string {
	if !v.IsValid() {
		return "<nil>"
	}
	if v.CanInterface() {
		if b, ok := blockOf(v.Interface()); ok {
			return b.show()
		}
	}
	if depth > deepest {
		return "…"
	}
	switch v.Kind() {
	case reflect.Bool:
		return fmt.Sprint(v.Bool())
	case reflect.String:
		return v.String()
	case reflect.Float32, reflect.Float64:
		return short(v.Float())
	case reflect.Complex64, reflect.Complex128:
		return fmt.Sprint(v.Complex())
	case reflect.Interface:
		return text(v.Elem(), depth)
	case reflect.Pointer:
		if v.IsNil() {
			return "<nil>"
		}
		return "&" + text(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		return "[" + list(v.Len(), func(i int) string { return text(v.Index(i), depth+1) }) + "]"
	case reflect.Struct:
		return "{" + list(v.NumField(), func(i int) string { return text(v.Field(i), depth+1) }) + "}"
	case reflect.Map:
		sorted := keys(v)
		return "map[" + list(len(sorted), func(i int) string {
			return text(sorted[i], depth+1) + ":" + text(v.MapIndex(sorted[i]), depth+1)
		}) + "]"
	}
	switch {
	case v.CanInt():
		return fmt.Sprint(v.Int())
	case v.CanUint():
		return fmt.Sprint(v.Uint())
	}
	return "a " + v.Type().String() // a function, a channel, an unsafe pointer
}

// list joins n texts, as many of them as can be shown.
func list(n int, item func(i int) string) string {
	var s strings.Builder
	for i := range n {
		if i > 0 {
			s.WriteByte(' ')
		}
		if s.Len() > 4*longestShown {
			s.WriteString("…")
			break
		}
		s.WriteString(item(i))
	}
	return s.String()
}
