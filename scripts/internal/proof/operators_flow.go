package proof

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

func (m *mutator) assignment(n *ast.AssignStmt) {
	if len(n.Rhs) == len(n.Lhs) {
		m.swaps(n.Rhs, func(i, j int) bool { return types.Identical(m.typeOf(n.Rhs[i]), m.typeOf(n.Rhs[j])) })
	}
	if n.Tok == token.DEFINE {
		return
	}
	m.remove("statement", n)
	if n.Tok == token.ASSIGN {
		return
	}
	at := m.offset(n.TokPos)
	if op, ok := other[n.Tok]; ok && !isString(m.typeOf(n.Lhs[0])) {
		m.edit("arithmetic", splice{from: at, to: at + len(n.Tok.String()), with: op.String()})
	}
	m.edit("term", splice{from: at, to: at + len(n.Tok.String()), with: "="})
	if isBasic(m.typeOf(n.Lhs[0]), types.Float64) {
		left := m.text(n.Lhs[0])
		m.replace("precision", n, fmt.Sprintf("%s = float64(float32(%s %s (%s)))", left, left, strings.TrimSuffix(n.Tok.String(), "="), m.text(n.Rhs[0])))
	}
}

// expression removes a call.
func (m *mutator) expression(n *ast.ExprStmt) {
	call, ok := n.X.(*ast.CallExpr)
	switch {
	case ok && m.callee(call) == "panic": // the check around it is dropped
	case ok && strings.HasPrefix(m.callee(call), "must"):
		m.remove("check", n)
	default:
		m.remove("statement", n)
	}
}

// branch drops a check of the arguments or an early exit, and decides another condition once and for all.
func (m *mutator) branch(n *ast.IfStmt) {
	inside := splice{from: m.offset(n.Body.Lbrace) + 1, to: m.offset(n.Body.Rbrace)}
	switch {
	case m.isCheck(n):
		m.edit("check", inside)
	case n.Else == nil && exits(n.Body):
		m.edit("exit", inside)
	default:
		condition := m.text(n.Cond)
		m.replace("condition", n.Cond, "("+condition+") || true")
		m.replace("condition", n.Cond, "("+condition+") && false")
	}
}

// isCheck says whether n refuses something: its body ends in a panic, or returns an error.
func (m *mutator) isCheck(n *ast.IfStmt) bool {
	if n.Else != nil || len(n.Body.List) == 0 {
		return false
	}
	switch last := n.Body.List[len(n.Body.List)-1].(type) {
	case *ast.ExprStmt:
		call, ok := last.X.(*ast.CallExpr)
		return ok && m.callee(call) == "panic"
	case *ast.ReturnStmt:
		return m.refuses(last)
	}
	return false
}

// refuses says whether an error is returned.
func (m *mutator) refuses(n *ast.ReturnStmt) bool {
	if len(n.Results) == 0 {
		return false
	}
	last := n.Results[len(n.Results)-1]
	return m.text(last) != "nil" && types.Implements(m.typeOf(last), errorType)
}

var errorType = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

// inCheck says whether the node is part of the condition of a check.
func (m *mutator) inCheck() bool {
	for i := len(m.stack) - 2; i >= 0; i-- {
		switch n := m.stack[i].(type) {
		case *ast.IfStmt:
			return n.Cond == m.stack[i+1] && m.isCheck(n)
		case ast.Stmt:
			return false
		}
	}
	return false
}

func exits(b *ast.BlockStmt) bool {
	if len(b.List) == 0 {
		return false
	}
	switch b.List[len(b.List)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	}
	return false
}

// loop leaves out the first or the last turn, or all.
func (m *mutator) loop(n *ast.ForStmt) {
	m.remove("statement", n)
	if init, ok := n.Init.(*ast.AssignStmt); ok && len(init.Rhs) == 1 && isInteger(m.typeOf(init.Rhs[0])) && !isLiteral(init.Rhs[0]) {
		m.edit("loop", m.splice(init.Rhs[0], m.text(init.Rhs[0])+" + 1"))
	}
	if cond, ok := n.Cond.(*ast.BinaryExpr); ok && cond.Op == token.LSS && isInteger(m.typeOf(cond.Y)) {
		m.edit("loop", m.splice(cond.Y, m.text(cond.Y)+" - 1"))
	}
}

func (m *mutator) rangeLoop(n *ast.RangeStmt) {
	m.remove("statement", n)
	over, brace := m.text(n.X), m.offset(n.Body.Lbrace)+1
	skip := func(last string) {
		key, edits := "kataKey", []splice(nil)
		switch name, ok := n.Key.(*ast.Ident); {
		case n.Key == nil:
			at := m.offset(n.For) + len("for")
			edits = append(edits, insertion(at, " "+key+" :="))
		case ok && name.Name == "_":
			edits = append(edits, m.splice(name, key))
		default:
			key = m.text(n.Key)
		}
		m.edit("loop", append(edits, insertion(brace, fmt.Sprintf(" if %s == %s { continue };", key, last)))...)
	}
	switch t := m.typeOf(n.X).Underlying().(type) {
	case *types.Basic:
		if isInteger(t) {
			if n.Key != nil {
				skip("0")
			}
			if !isLiteral(n.X) {
				m.replace("loop", n.X, over+" - 1")
				m.replace("loop", n.X, over+" + 1")
			}
			return
		}
	case *types.Slice, *types.Array:
	default:
		return
	}
	skip("0")
	if !strings.Contains(over, "(") || strings.HasPrefix(over, "len(") {
		skip("len(" + over + ")-1")
	}
}
