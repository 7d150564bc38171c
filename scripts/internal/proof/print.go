package proof

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Print writes one line a kata, then every problem, what was skipped, and last the checks: N passed, M failed.
func Print(w io.Writer, results []Result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "kata\tsteps\tmistakes\talternatives\tfigures\thow\twhole\trace\tchecks\tproblems")
	passed, failed := 0, 0
	var details, skipped []string
	reasons := map[string]bool{}
	for _, r := range results {
		race := fmt.Sprintf("%.1f s", r.Race)
		if !r.Raced {
			race = "–"
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%.2f s\t%.2f s\t%s\t%d\t%d\n",
			r.Kata, r.Steps, r.Mistakes, r.Alternatives, r.Figures, r.How, r.Whole, race, r.Passed+len(r.Problems), len(r.Problems))
		passed += r.Passed
		failed += len(r.Problems)
		details = append(details, r.Problems...)
		for _, s := range r.Skipped {
			if !reasons[s] {
				skipped = append(skipped, "skipped: "+s)
			}
			reasons[s] = true
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	lines := append(details, skipped...)
	if len(lines) > 0 {
		lines = append([]string{""}, lines...)
	}
	lines = append(lines, "", fmt.Sprintf("%d passed, %d failed", passed, failed))
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// PrintMutations writes one line a kata, then every problem; with survivors also every mutant that the visible tests do not kill.
func PrintMutations(w io.Writer, found []Mutation, survivors bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "kata\tmutants\tequivalent\tkilled by visible tests\tby visible and hidden\tsurvivors\tproblems")
	enough := 0
	var details []string
	for _, m := range found {
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\t%d\t%d\n", m.Kata, m.Mutants, m.Equivalent, share(m.Visible, m.Killable()), share(m.Killed, m.Killable()),
			len(m.Survivors), len(m.Problems))
		details = append(details, m.Problems...)
		if m.Enough() {
			enough++
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(details) > 0 {
		details = append([]string{""}, details...)
	}
	for _, m := range found {
		if survivors && len(m.Survivors) > 0 {
			details = append(append(details, ""), m.survivors()...)
		}
	}
	details = append(details, "", fmt.Sprintf("%d of %d katas: the visible tests kill %.0f %% or more, and nothing else is wrong", enough, len(found), 100*LeastKilled))
	_, err := fmt.Fprintln(w, strings.Join(details, "\n"))
	return err
}

func share(n, of int) string {
	if of == 0 {
		return "none"
	}
	return fmt.Sprintf("%d (%.1f %%)", n, 100*float64(n)/float64(of))
}

// survivors lists them by function.
func (m Mutation) survivors() (lines []string) {
	in := ""
	for _, s := range m.Survivors {
		if s.In != in {
			in = s.In
			lines = append(lines, m.Kata+" "+in)
		}
		hidden := ""
		if s.Hidden {
			hidden = "(hidden)"
		}
		lines = append(lines, fmt.Sprintf("%6d %-8s %s", s.Line, hidden, s.Mutant))
	}
	return lines
}
