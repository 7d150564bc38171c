// Package session runs the part of a dataflow graph that was asked for, and keeps its variables between runs.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one.
package session

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/q18-session-run/graph"
)

// Ancestors returns the nodes that a run must get a value for: the fetches and, through Inputs, all they depend on. A fed node has its value
// already: neither it nor what only it depends on is among them. An Assign depends on its input, not on its Target. feeds may be nil.
// Source: Abadi et al. 2015.
func Ancestors(fetches []*graph.Node, feeds map[*graph.Node]*mat.Dense) map[*graph.Node]bool {
	needed := map[*graph.Node]bool{}
	var visit func(nodes []*graph.Node)
	visit = func(nodes []*graph.Node) {
		for _, n := range nodes {
			_, fed := feeds[n]
			if fed || needed[n] {
				continue
			}
			needed[n] = true
			visit(n.Inputs)
		}
	}
	visit(fetches)
	return needed
}

// Order returns the nodes that are needed (the value is true), each once, inputs before users. Inputs that are not needed are left out: they are fed. The
// order is the same on every call with the same nodes.
func Order(needed map[*graph.Node]bool) []*graph.Node {
	var order []*graph.Node
	visited := map[*graph.Node]bool{}
	var visit func(nodes []*graph.Node)
	visit = func(nodes []*graph.Node) {
		for _, n := range nodes {
			if !needed[n] || visited[n] {
				continue
			}
			visited[n] = true
			visit(n.Inputs)
			order = append(order, n)
		}
	}
	byName := func(a, b *graph.Node) int { return cmp.Compare(a.Name, b.Name) }
	visit(slices.SortedFunc(maps.Keys(needed), byName)) // a map is ranged in random order
	return order
}

// Session holds the values of the variables of a graph, and nothing else between runs. Several sessions of one graph know nothing of each other.
type Session struct {
	Graph     *graph.Graph
	Variables map[*graph.Node]*mat.Dense // a variable that is missing is uninitialised
}

// NewSession returns a session of g in which no variable is initialised.
func NewSession(g *graph.Graph) *Session {
	return &Session{Graph: g, Variables: map[*graph.Node]*mat.Dense{}}
}

// Init gives every variable that the graph has now its initial value, also where it had another one.
func (s *Session) Init() {
	for _, n := range s.Graph.Nodes() {
		if n.Op == graph.OpVariable {
			s.Variables[n] = mat.DenseCopyOf(n.Value)
		}
	}
}

// Run computes the values of the fetches, in their order, with feeds in the place of what the fed nodes would compute.
// Any node may be fed. Every other node that is needed is evaluated once, by graph.Eval; no other node is. A read of a
// variable, wherever it stands, gives its value at the start of the run. What the Assigns of the run give takes effect together, at its end. The
// results are the caller's: they share no data with feeds or session, and the session shares none with feeds.
//
// The error names the node, in quotes (%q): a placeholder that is needed and not fed, a variable that is needed and not initialised, a feed that the node's Shape does not
// accept (needed or not), a fetch or a fed node of another graph, a variable to which two Assigns of the run give a value, and what graph.Eval reports.
// After an error no variable has changed.
func (s *Session) Run(fetches []*graph.Node, feeds map[*graph.Node]*mat.Dense) ([]*mat.Dense, error) {
	if err := s.accept(fetches, feeds); err != nil {
		return nil, err
	}
	values := map[*graph.Node]*mat.Dense{}
	maps.Copy(values, feeds)
	assigned := map[*graph.Node]*mat.Dense{}
	for _, n := range Order(Ancestors(fetches, feeds)) {
		v, err := s.value(n, values)
		if err != nil {
			return nil, err
		}
		values[n] = v
		if n.Op != graph.OpAssign {
			continue
		}
		if assigned[n.Target] != nil {
			return nil, fmt.Errorf("session: the variable %q is assigned twice in one run", n.Target.Name)
		}
		assigned[n.Target] = v
	}
	maps.Copy(s.Variables, assigned)
	results := make([]*mat.Dense, len(fetches))
	for i, n := range fetches {
		results[i] = mat.DenseCopyOf(values[n])
	}
	return results, nil
}

// accept returns what is wrong with the arguments of a run before anything is computed.
func (s *Session) accept(fetches []*graph.Node, feeds map[*graph.Node]*mat.Dense) error {
	for _, n := range fetches {
		if n.Graph() != s.Graph {
			return fmt.Errorf("session: the fetch %q belongs to another graph", n.Name)
		}
	}
	for n, v := range feeds {
		if n.Graph() != s.Graph {
			return fmt.Errorf("session: the fed node %q belongs to another graph", n.Name)
		}
		if !n.Shape.Accepts(v) {
			return fmt.Errorf("session: the feed of %q has the wrong shape, want %v", n.Name, n.Shape)
		}
	}
	return nil
}

// value returns the value of a node that is not fed, from those of its inputs.
func (s *Session) value(n *graph.Node, values map[*graph.Node]*mat.Dense) (*mat.Dense, error) {
	switch n.Op {
	case graph.OpPlaceholder:
		return nil, fmt.Errorf("session: the placeholder %q needs a feed", n.Name)
	case graph.OpVariable:
		v, ok := s.Variables[n]
		if !ok {
			return nil, fmt.Errorf("session: the variable %q is not initialised", n.Name)
		}
		return v, nil
	}
	inputs := make([]*mat.Dense, len(n.Inputs))
	for i, in := range n.Inputs {
		inputs[i] = values[in]
	}
	return graph.Eval(n, inputs)
}

// Gradients returns nodes of loss's graph that compute ∂loss/∂w for each w of wrt, in its order and of its shape. It computes nothing
// itself. A w may be any node, loss too; asking for it doesn't change the gradients of what it depends on. No gradient flows through Step, nor to the
// like input of BroadcastLike, SumLike and SpreadLike: where there is no other way to a w, loss does not depend on it.
//
// The error names the node, in quotes (%q): a loss whose shape is not 1×1, a w of another graph, a w that loss does not depend on, an Assign between
// loss and a w. Source: Abadi et al. 2015.
func Gradients(loss *graph.Node, wrt ...*graph.Node) ([]*graph.Node, error) {
	if loss.Shape != (graph.Shape{Rows: 1, Columns: 1}) {
		return nil, fmt.Errorf("session: the loss %q is %v, want 1×1", loss.Name, loss.Shape)
	}
	g := loss.Graph()
	grads := map[*graph.Node]*graph.Node{loss: g.Constant("one", mat.NewDense(1, 1, []float64{1}))}
	for _, n := range slices.Backward(Order(Ancestors([]*graph.Node{loss}, nil))) {
		dy, ok := grads[n]
		if !ok {
			continue
		}
		if n.Op == graph.OpAssign {
			behind := Ancestors(n.Inputs, nil)
			if slices.ContainsFunc(wrt, func(w *graph.Node) bool { return behind[w] }) {
				return nil, fmt.Errorf("session: the Assign %q has no gradient", n.Name)
			}
		}
		for i, dx := range backward(g, n, dy) {
			in := n.Inputs[i]
			if before, ok := grads[in]; ok {
				dx = g.Add(before, dx)
			}
			grads[in] = dx
		}
	}
	out := make([]*graph.Node, len(wrt))
	for i, w := range wrt {
		if w.Graph() != g {
			return nil, fmt.Errorf("session: %q belongs to another graph than the loss", w.Name)
		}
		if grads[w] == nil {
			return nil, fmt.Errorf("session: the loss %q does not depend on %q", loss.Name, w.Name)
		}
		out[i] = grads[w]
	}
	return out, nil
}

// backward returns the gradients of n's first inputs from dy, the gradient of n. Further inputs get none.
func backward(g *graph.Graph, n, dy *graph.Node) []*graph.Node {
	var a, b *graph.Node
	if len(n.Inputs) > 0 {
		a = n.Inputs[0]
	}
	if len(n.Inputs) > 1 {
		b = n.Inputs[1]
	}
	switch n.Op {
	case graph.OpAdd:
		return []*graph.Node{dy, dy}
	case graph.OpSub:
		zero := g.BroadcastLike(g.Constant("zero", mat.NewDense(1, 1, nil)), dy)
		return []*graph.Node{dy, g.Sub(zero, dy)}
	case graph.OpMul:
		return []*graph.Node{g.Mul(dy, b), g.Mul(dy, a)}
	case graph.OpMatMul:
		return []*graph.Node{g.MatMul(dy, g.Transpose(b)), g.MatMul(g.Transpose(a), dy)}
	case graph.OpTranspose:
		return []*graph.Node{g.Transpose(dy)}
	case graph.OpReLU:
		return []*graph.Node{g.Mul(dy, g.Step(a))}
	case graph.OpMean:
		return []*graph.Node{g.SpreadLike(dy, a)}
	case graph.OpBroadcastLike:
		return []*graph.Node{g.SumLike(dy, a)}
	case graph.OpSumLike:
		return []*graph.Node{g.BroadcastLike(dy, a)}
	case graph.OpSpreadLike:
		return []*graph.Node{g.Mean(dy)}
	}
	return nil
}
