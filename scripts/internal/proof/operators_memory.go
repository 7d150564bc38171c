package proof

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"strconv"
	"strings"
)

// results returns the variables that a function returns, or a part of which it returns.
func (m *mutator) results(fn *ast.FuncDecl) map[types.Object]bool {
	all := map[types.Object]bool{}
	if fn.Type.Results != nil {
		for _, field := range fn.Type.Results.List {
			for _, name := range field.Names {
				all[m.info.Defs[name]] = true
			}
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			for _, r := range n.Results {
				m.handedOut(r, all)
			}
		}
		return true
	})
	return all
}

// handedOut adds the variables whose memory the value of e shares.
func (m *mutator) handedOut(e ast.Expr, all map[types.Object]bool) {
	switch e := e.(type) {
	case *ast.Ident:
		all[m.info.Uses[e]] = true
	case *ast.UnaryExpr:
		m.handedOut(e.X, all)
	case *ast.ParenExpr:
		m.handedOut(e.X, all)
	case *ast.SliceExpr:
		m.handedOut(e.X, all)
	case *ast.CompositeLit:
		for _, part := range e.Elts {
			if pair, ok := part.(*ast.KeyValueExpr); ok {
				part = pair.Value
			}
			m.handedOut(part, all)
		}
	}
}

// isResult says whether the value of the node that is looked at is returned as a whole, or as a field of what is returned.
func (m *mutator) isResult() bool {
	for i := len(m.stack) - 2; i >= 0; i-- {
		switch n := m.stack[i].(type) {
		case *ast.KeyValueExpr, *ast.CompositeLit, *ast.UnaryExpr, *ast.ParenExpr:
		case *ast.ReturnStmt:
			return true
		case *ast.AssignStmt:
			for j, r := range n.Rhs {
				if r != m.stack[i+1] || len(n.Lhs) != len(n.Rhs) {
					continue
				}
				name, ok := n.Lhs[j].(*ast.Ident)
				return ok && (m.returned[m.info.Defs[name]] || m.returned[m.info.Uses[name]])
			}
			return false
		default:
			return false
		}
	}
	return false
}

// cloned returns what a call copies.
func cloned(n *ast.CallExpr, name string) (ast.Expr, bool) {
	switch {
	case name == ".Clone" && len(n.Args) == 0:
		return n.Fun.(*ast.SelectorExpr).X, true
	case len(n.Args) == 1 && (name == "slices.Clone" || name == "maps.Clone" || name == "mat.DenseCopyOf" || name == "mat.VecDenseCopyOf"):
		return n.Args[0], true
	case name == "append" && len(n.Args) == 2 && n.Ellipsis.IsValid():
		if _, conversion := ast.Unparen(n.Args[0]).(*ast.CallExpr); conversion {
			return n.Args[1], true
		}
		if empty, ok := n.Args[0].(*ast.CompositeLit); ok && len(empty.Elts) == 0 {
			return n.Args[1], true
		}
	}
	return nil, false
}

// memory lets a result share its memory: with an argument, or with the result of an earlier call.
func (m *mutator) memory(n *ast.CallExpr, name string) {
	t := m.typeOf(n)
	if from, ok := cloned(n, name); ok {
		m.replace("alias", n, m.text(from))
		if m.isResult() {
			m.keptCopy(n, t, from)
		}
		return
	}
	var sizes []ast.Expr
	switch _, slice := t.Underlying().(*types.Slice); {
	case name == "make" && slice && len(n.Args) > 1:
		sizes = n.Args[1:2]
	case (name == "mat.NewDense" || name == "mat.NewVecDense" || name == "tensor.NewCHW" || name == "tensor.NewOIHW") && m.text(n.Args[len(n.Args)-1]) == "nil":
		sizes = n.Args[:len(n.Args)-1]
	case name == "new" && m.text(n.Args[0]) == "mat.Dense":
		if m.isResult() {
			m.keptMatrix(m.splice(n, ""))
		}
		return
	default:
		return
	}
	for v := range m.info.Defs[m.fn.Name].Type().(*types.Signature).Params().Variables() {
		if v.Name() != "_" && types.Identical(v.Type(), t) {
			m.replace("alias", n, v.Name())
		}
	}
	if m.isResult() {
		m.kept("kept", n, t, name, sizes, true)
		m.kept("state", n, t, name, sizes, false)
	}
}

// kept makes a result once for every shape, and then takes it again, cleared or as the last call left it.
func (m *mutator) kept(operator string, n *ast.CallExpr, t types.Type, name string, sizes []ast.Expr, cleared bool) {
	variable := m.variable()
	var given, used []string
	for i, s := range sizes {
		given, used = append(given, m.text(s)), append(used, fmt.Sprintf("k[%d]", i))
	}
	fresh, clear := name+"("+strings.Join(used, ", ")+", nil)", "v.Zero()"
	switch {
	case name == "make":
		fresh, clear = "make("+m.text(n.Args[0])+", "+used[0]+")", "clear(v)"
	case strings.HasPrefix(name, "tensor."):
		clear = "clear(v.Data)"
	}
	if !cleared {
		clear = ""
	}
	shape := fmt.Sprintf("[%d]int", len(sizes))
	edit := m.splice(n, fmt.Sprintf("func(k %[1]s) %[2]s { v, ok := %[3]s[k]; if !ok { v = %[4]s; %[3]s[k] = v }; %[5]s; return v }(%[1]s{%[6]s})",
		shape, m.typeName(t), variable, fresh, clear, strings.Join(given, ", ")))
	edit.shown = "kept " + m.text(n)
	m.editWith(fmt.Sprintf("\nvar %s = map[%s]%s{}\n", variable, shape, m.typeName(t)), operator, edit)
}

// keptCopy copies into what the last call returned.
func (m *mutator) keptCopy(n *ast.CallExpr, t types.Type, from ast.Expr) {
	variable, edit := m.variable(), m.splice(n, "")
	edit.shown = "kept " + m.text(n)
	if _, slice := t.Underlying().(*types.Slice); slice {
		edit.with = fmt.Sprintf("func() %s { %s = append(%[2]s[:0], %s...); return %[2]s }()", m.typeName(t), variable, m.text(from))
		m.editWith("\nvar "+variable+" "+m.typeName(t)+"\n", "kept", edit)
	} else if m.typeName(t) == "*mat.Dense" {
		edit.with = fmt.Sprintf("func() *mat.Dense { %s.CloneFrom(%s); return &%[1]s }()", variable, m.text(from))
		m.editWith("\nvar "+variable+" mat.Dense\n", "kept", edit)
	}
}

// keptMatrix gives a pointer to the matrix that the last call returned, emptied, in the place of a new one.
func (m *mutator) keptMatrix(edits ...splice) {
	variable := m.variable()
	edits[0].shown = edits[0].with + "kept new(mat.Dense)"
	edits[0].with += fmt.Sprintf("func() *mat.Dense { %s.Reset(); return &%[1]s }()", variable)
	m.editWith("\nvar "+variable+" mat.Dense\n", "kept", edits...)
}

// declaration keeps a matrix that is declared and returned by its address.
func (m *mutator) declaration(n *ast.DeclStmt) {
	declared, ok := n.Decl.(*ast.GenDecl)
	if !ok || declared.Tok != token.VAR || len(declared.Specs) != 1 {
		return
	}
	spec := declared.Specs[0].(*ast.ValueSpec)
	if len(spec.Names) != 1 || len(spec.Values) > 0 || m.text(spec.Type) != "mat.Dense" || !m.returned[m.info.Defs[spec.Names[0]]] {
		return
	}
	edits := []splice{m.splice(n, spec.Names[0].Name+" := ")}
	ast.Inspect(m.fn.Body, func(n ast.Node) bool {
		if address, ok := n.(*ast.UnaryExpr); ok && address.Op == token.AND && m.text(address.X) == spec.Names[0].Name {
			edits = append(edits, m.splice(address, spec.Names[0].Name))
		}
		return true
	})
	m.keptMatrix(edits...)
}

// variable names a package's variable that no other mutant has.
func (m *mutator) variable() string { return fmt.Sprintf("kataKept%d", len(m.made)) }

func (m *mutator) typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p.Name() == m.File.Name.Name {
			return ""
		}
		return p.Name()
	})
}

// prefix takes the package's name off a panic's message.
func (m *mutator) prefix(n *ast.CallExpr) {
	ast.Inspect(n, func(inner ast.Node) bool {
		literal, ok := inner.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if without, found := strings.CutPrefix(text, m.File.Name.Name+": "); err == nil && found {
			m.replace("prefix", literal, strconv.Quote(without))
		}
		return true
	})
}

// namesOne finds the promise that an error says which of several things is wrong.
var namesOne = regexp.MustCompile(`error[^.]* (names|quotes|says which|says whether) `)

// message lets an error name something else than what is wrong.
func (m *mutator) message(n *ast.CallExpr) {
	if !m.naming {
		return
	}
	for _, a := range n.Args[1:] {
		switch t := m.typeOf(a); {
		case m.constant(a) || strings.HasPrefix(m.text(a), "len("): // a limit, or a count
		case isString(t):
			m.replace("message", a, `"another"`)
		case isInteger(t):
			m.replace("message", a, m.text(a)+" + 1")
		}
	}
}
