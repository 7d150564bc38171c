package proof

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// literal shifts a number, turns its sign, and changes a text.
func (m *mutator) literal(n *ast.BasicLit) {
	text := n.Value
	switch zero := strings.Trim(text, "0.") == ""; {
	case n.Kind == token.CHAR, n.Kind == token.INT && !isFloat(m.typeOf(n)):
		m.replace("constant", n, shifted(text, 1))
		m.replace("constant", n, shifted(text, -1))
	case (n.Kind == token.INT || n.Kind == token.FLOAT) && zero:
		m.replace("constant", n, "1")
	case n.Kind == token.INT:
		m.replace("constant", n, shifted(text, 1))
		m.replace("constant", n, "(-"+text+")")
	case n.Kind == token.FLOAT:
		m.replace("constant", n, "(2 * "+text+")")
		m.replace("constant", n, "(-"+text+")")
	case n.Kind == token.STRING && text[0] == '"':
		m.replace("constant", n, text[:len(text)-1]+`?"`)
		if text != `""` {
			m.replace("constant", n, `""`)
		}
	}
}

// shifted adds by to a literal.
func shifted(text string, by int) string {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil: // a letter
		return fmt.Sprintf("(%s %+d)", text, by)
	case n+by < 0:
		return fmt.Sprintf("(%d)", n+by)
	default:
		return strconv.Itoa(n + by)
	}
}

// named shifts a named constant.
func (m *mutator) named(n ast.Expr, name *ast.Ident) {
	c, ok := m.info.Uses[name].(*types.Const)
	if !ok {
		return
	}
	switch t := c.Type(); {
	case name.Name == "true" || name.Name == "false":
		m.replace("constant", n, map[string]string{"true": "false", "false": "true"}[name.Name])
	case isInteger(t) && c.Pkg() != nil && !isEnumeration(t):
		m.replace("constant", n, "("+m.text(n)+" + 1)")
		m.replace("constant", n, "("+m.text(n)+" - 1)")
	case isFloat(t):
		m.replace("constant", n, "(2 * "+m.text(n)+")")
	}
}

// isEnumeration says whether t is a type of its own: its constants are names, not numbers.
func isEnumeration(t types.Type) bool {
	_, named := t.(*types.Named)
	return named
}

func (m *mutator) unary(n *ast.UnaryExpr) {
	if n.Op == token.SUB || n.Op == token.NOT {
		m.replace("term", n, m.text(n.X))
	}
}

// other gives the operators that are mistaken for one another.
var other = map[token.Token]token.Token{
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.QUO,
	token.SHL: token.SHR, token.SHR: token.SHL, token.AND: token.OR, token.OR: token.AND,
	token.SHL_ASSIGN: token.SHR_ASSIGN, token.SHR_ASSIGN: token.SHL_ASSIGN,
	token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN, token.MUL_ASSIGN: token.QUO_ASSIGN, token.QUO_ASSIGN: token.MUL_ASSIGN,
}

// edge gives the comparisons that differ where both sides are equal.
var edge = map[token.Token]token.Token{token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR}

// opposite gives the comparison that holds where the first does not.
var opposite = map[token.Token]token.Token{
	token.LSS: token.GEQ, token.LEQ: token.GTR, token.GTR: token.LEQ, token.GEQ: token.LSS, token.EQL: token.NEQ, token.NEQ: token.EQL,
}

func (m *mutator) binary(n *ast.BinaryExpr) {
	x, y := m.text(n.X), m.text(n.Y)
	with := func(operator string, op token.Token) {
		at := m.offset(n.OpPos)
		m.edit(operator, splice{from: at, to: at + len(n.Op.String()), with: op.String()})
	}
	switch n.Op {
	case token.LAND, token.LOR:
		m.replace("logic", n, "("+x+") "+map[token.Token]string{token.LAND: "||", token.LOR: "&&"}[n.Op]+" ("+y+")")
		m.replace("logic", n, x)
		m.replace("logic", n, y)
		return
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		if op, ok := edge[n.Op]; ok && !(isInteger(m.typeOf(n.X)) && (isLiteral(n.X) || isLiteral(n.Y))) { // to shift the literal is the same
			with("comparison", op)
		}
		if !m.inCheck() { // it would then refuse everything
			with("comparison", opposite[n.Op])
		}
		return
	}
	t := m.typeOf(n)
	if !isString(t) {
		with("arithmetic", other[n.Op])
	}
	m.replace("term", n, x)
	switch {
	case n.Op == token.ADD || n.Op == token.MUL:
		m.replace("term", n, y)
	case n.Op == token.SUB:
		m.replace("term", n, "-"+y)
	case n.Op == token.QUO && isInteger(t):
		m.replace("rounding", n, fmt.Sprintf("(%s + %s - 1) / %[2]s", x, y))
	}
	m.precision(n)
}

// precision computes with half the digits, or half the range.
func (m *mutator) precision(n *ast.BinaryExpr) {
	if m.constant(n) {
		return
	}
	parent, _ := m.around(1).(ast.Expr)
	for {
		p, ok := parent.(*ast.ParenExpr)
		if !ok {
			break
		}
		parent, _ = m.parentOf(p).(ast.Expr)
	}
	outer, nested := parent.(*ast.BinaryExpr)
	switch t := m.typeOf(n); {
	case isBasic(t, types.Float64) && !(nested && isBasic(m.typeOf(outer), types.Float64)):
		m.replace("precision", n, "float64(float32("+m.text(n)+"))")
	case isBasic(t, types.Int) && m.counts() && m.multiplies(n) && !(nested && m.multiplies(outer)) && !m.indexing():
		m.replace("precision", n, "int(int32("+m.text(n)+"))")
	}
}

// multiplies says whether e is made of sums and at least one product, which wrap around alike.
func (m *mutator) multiplies(e ast.Expr) bool {
	b, ok := ast.Unparen(e).(*ast.BinaryExpr)
	if !ok || !isBasic(m.typeOf(b), types.Int) {
		return false
	}
	return b.Op == token.MUL || (b.Op == token.ADD || b.Op == token.SUB) && (m.multiplies(b.X) || m.multiplies(b.Y))
}

// counts says whether the function returns a whole number. Others use them as indices, which no test can make large.
func (m *mutator) counts() bool {
	signature := m.info.Defs[m.fn.Name].Type().(*types.Signature)
	for v := range signature.Results().Variables() {
		if isInteger(v.Type()) {
			return true
		}
	}
	return false
}

// indexing says whether the node is part of an index.
func (m *mutator) indexing() bool {
	for i := len(m.stack) - 2; i >= 0; i-- {
		switch n := m.stack[i].(type) {
		case *ast.IndexExpr:
			return n.X != m.stack[i+1]
		case *ast.SliceExpr:
			return n.X != m.stack[i+1]
		case *ast.CallExpr:
			return m.isIndexed(n) || m.callee(n) == "make"
		case ast.Stmt:
			return false
		}
	}
	return false
}

// instead gives the functions that are mistaken for one another.
var instead = map[string]string{
	"min": "max", "max": "min", "math.Max": "math.Min", "math.Min": "math.Max", "math.Floor": "math.Ceil", "math.Ceil": "math.Floor",
	"math.Round": "math.Floor", "math.RoundToEven": "math.Round", "math.Trunc": "math.Floor", "floats.Max": "floats.Min", "floats.Min": "floats.Max",
	"floats.MaxIdx": "floats.MinIdx", "floats.MinIdx": "floats.MaxIdx", "floats.Add": "floats.Sub", "floats.Sub": "floats.Add",
	"slices.Max": "slices.Min", "slices.Min": "slices.Max", "slices.Backward": "slices.All",
}

// symmetric are the functions that do not tell their arguments apart.
var symmetric = []string{"min", "max", "math.Max", "math.Min", "math.Hypot", "floats.Dot", "floats.Distance", "floats.Equal", "mat.Dot", "mat.Equal", "slices.Equal", "errors.Join"}

func (m *mutator) call(n *ast.CallExpr) {
	if m.info.Types[n.Fun].IsType() {
		return
	}
	name := m.callee(n)
	switch name {
	case "panic":
		m.prefix(n)
		m.skip(n.Args...)
		return
	case "fmt.Errorf", "errors.New":
		m.message(n)
		m.skip(n.Args...)
		return
	case "min", "max":
		for i := range n.Args {
			if len(n.Args) == 2 {
				m.replace("term", n, m.text(n.Args[1-i]))
			} else {
				m.drop("term", n.Args, i)
			}
		}
	case ".T":
		m.replace("call", n, m.text(n.Fun.(*ast.SelectorExpr).X))
	case "math.Inf":
		m.skip(n.Args...)
		m.replace("constant", n, "-"+m.text(n))
	case "make":
		if len(n.Args) == 3 {
			m.skip(n.Args[2]) // capacity
		}
	}
	if with, ok := instead[name]; ok {
		m.replace("call", n.Fun, with)
	}
	if signature, ok := m.typeOf(n.Fun).Underlying().(*types.Signature); ok && !slices.Contains(symmetric, name) {
		fits := func(i, j int) bool {
			to := parameterType(signature, j)
			return to != nil && types.AssignableTo(m.typeOf(n.Args[i]), to)
		}
		m.swaps(n.Args, func(i, j int) bool { return fits(i, j) && fits(j, i) })
	}
	if len(n.Args) == 1 && !n.Ellipsis.IsValid() && types.Identical(m.typeOf(n.Args[0]), m.typeOf(n)) && !m.constant(n) {
		operator := "call"
		if _, clones := cloned(n, name); clones {
			operator = "alias"
		}
		m.replace(operator, n, m.text(n.Args[0]))
	}
	if m.isIndexed(n) {
		for _, a := range n.Args {
			if !isLiteral(a) && isInteger(m.typeOf(a)) {
				m.replace("index", a, m.text(a)+" + 1")
			}
		}
	}
	m.memory(n, name)
}

// callee is how the source names the function that is called.
func (m *mutator) callee(n *ast.CallExpr) string {
	name := m.text(n.Fun)
	if selector, ok := n.Fun.(*ast.SelectorExpr); ok && m.info.Selections[selector] != nil {
		return "." + selector.Sel.Name
	}
	return name
}

// isIndexed says whether a method is called whose whole numbers are indices.
func (m *mutator) isIndexed(n *ast.CallExpr) bool {
	return slices.Contains([]string{".At", ".Set", ".RowView", ".ColView", ".RawRowView", ".AtVec", ".SetVec"}, m.callee(n))
}

func parameterType(s *types.Signature, i int) types.Type {
	last := s.Params().Len() - 1
	if s.Variadic() && i >= last {
		if slice, ok := s.Params().At(last).Type().(*types.Slice); ok {
			return slice.Elem()
		}
	}
	if i > last {
		return nil
	}
	return s.Params().At(i).Type()
}

// swaps exchanges each of all with the next one that may stand in its place.
func (m *mutator) swaps(all []ast.Expr, may func(i, j int) bool) {
	for i := range all {
		for j := i + 1; j < len(all); j++ {
			a, b := m.text(all[i]), m.text(all[j])
			if _, keyed := all[i].(*ast.KeyValueExpr); !keyed && may(i, j) {
				if a != b {
					m.edit("swap", m.splice(all[i], b), m.splice(all[j], a))
				}
				break
			}
		}
	}
}

// drop removes the ith of a list with its comma.
func (m *mutator) drop(operator string, all []ast.Expr, i int) {
	from, to := m.offset(all[i].Pos()), m.offset(all[i].End())
	if i+1 < len(all) {
		to = m.offset(all[i+1].Pos())
	} else {
		from = m.offset(all[i-1].End())
	}
	m.edit(operator, splice{from: from, to: to})
}

func (m *mutator) index(n *ast.IndexExpr) {
	switch m.typeOf(n.X).Underlying().(type) {
	case *types.Slice, *types.Array, *types.Pointer, *types.Basic:
		if !isLiteral(n.Index) {
			m.replace("index", n.Index, m.text(n.Index)+"+1")
			m.replace("index", n.Index, m.text(n.Index)+"-1")
		}
	}
}

func (m *mutator) slice(n *ast.SliceExpr) {
	for i, bound := range []ast.Expr{n.Low, n.High} {
		if bound == nil {
			continue
		}
		if !isLiteral(bound) {
			m.replace("index", bound, m.text(bound)+[]string{"+1", "-1"}[i])
		}
		if n.Max == nil {
			m.replace("term", bound, "")
		}
	}
}
