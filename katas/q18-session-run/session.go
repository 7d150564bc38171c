// Package session runs the part of a dataflow graph that was asked for, and keeps its variables between runs.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one.
package session

import (
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/q18-session-run/graph"
)

// Ancestors returns the nodes that a run must get a value for: the fetches and, through Inputs, all they depend on. A fed node has its value
// already: neither it nor what only it depends on is among them. An Assign depends on its input, not on its Target. feeds may be nil.
// Source: Abadi et al. 2015.
func Ancestors(fetches []*graph.Node, feeds map[*graph.Node]*mat.Dense) map[*graph.Node]bool {
	panic("TODO: Ancestors")
}

// Order returns the nodes that are needed (the value is true), each once, inputs before users. Inputs that are not needed are left out: they are fed. The
// order is the same on every call with the same nodes.
func Order(needed map[*graph.Node]bool) []*graph.Node {
	panic("TODO: Order")
}

// Session holds the values of the variables of a graph, and nothing else between runs. Several sessions of one graph know nothing of each other.
type Session struct {
	Graph     *graph.Graph
	Variables map[*graph.Node]*mat.Dense // a variable that is missing is uninitialised
}

// NewSession returns a session of g in which no variable is initialised.
func NewSession(g *graph.Graph) *Session {
	panic("TODO: NewSession")
}

// Init gives every variable that the graph has now its initial value, also where it had another one.
func (s *Session) Init() {
	panic("TODO: Session.Init")
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
	panic("TODO: Session.Run")
}

// Gradients returns nodes of loss's graph that compute ∂loss/∂w for each w of wrt, in its order and of its shape. It computes nothing
// itself. A w may be any node, loss too; asking for it doesn't change the gradients of what it depends on. No gradient flows through Step, nor to the
// like input of BroadcastLike, SumLike and SpreadLike: where there is no other way to a w, loss does not depend on it.
//
// The error names the node, in quotes (%q): a loss whose shape is not 1×1, a w of another graph, a w that loss does not depend on, an Assign between
// loss and a w. Source: Abadi et al. 2015.
func Gradients(loss *graph.Node, wrt ...*graph.Node) ([]*graph.Node, error) {
	panic("TODO: Gradients")
}
