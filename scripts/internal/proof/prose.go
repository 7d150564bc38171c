package proof

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"whyhow/scripts/internal/markdown"
	"whyhow/scripts/internal/workbook"
)

func (p *proof) frontMatter() {
	k, file := p.kata, filepath.Join(p.kata.Dir, "README.md")
	p.check(k.Level >= 1 && k.Level <= 3, file, "level is %d: make it 1, 2 or 3", k.Level)
	p.check(k.Minutes > 0, file, "minutes is %d: say how long the whole kata takes", k.Minutes)
	p.check(len(k.About) > 0, file, "about is empty: name what the kata is about")
	p.check(len(k.Steps) >= 5 && len(k.Steps) <= 9, file, "it has %d steps: make it 5 to 9", len(k.Steps))
	for _, s := range k.Steps {
		p.check(s.Title != "" && s.Points >= 1 && s.Minutes >= 1, file, "step %s needs a title, points and minutes", s.Test)
	}
}

func (p *proof) readme() {
	file := filepath.Join(p.kata.Dir, "README.md")
	text, err := p.kata.Readme()
	if !p.check(err == nil, file, "%v", err) {
		return
	}
	p.wantHeadings(file, text, "# "+p.kata.Title, "## The question", "## The ideas", "## Definitions", "## The steps", "## Where it comes from")
	var want, got []string
	for _, s := range p.kata.Steps {
		want = append(want, s.Test)
	}
	for _, s := range sections(text, 3) {
		test, title, _ := strings.Cut(s.Title, ":")
		got = append(got, test)
		p.check(strings.TrimSpace(title) != "" && s.Whole != "", file, "section %q needs a title, ### TestName: title, and a text", s.Title)
	}
	p.check(slices.Equal(want, got), file, "its ### sections are %v: make them the steps, in their order: %v", got, want)
	p.noCode(file, text)
}

func (p *proof) hints() {
	file := filepath.Join(p.root, "hints", p.kata.Name+".md")
	hints, err := p.kata.Hints()
	if !p.check(err == nil, file, "%v", missing(err)) {
		return
	}
	text, err := workbook.ReadText(file)
	if !p.check(err == nil, file, "%v", err) {
		return
	}
	p.check(strings.HasPrefix(string(text), "# Hints: "+p.kata.Title+"\n"), file, "line 1 must be %q", "# Hints: "+p.kata.Title)
	p.check(!strings.Contains(string(text), "```"), file, "it has a code fence: a hint never shows code")
	p.noCode(file, string(text))
	for _, s := range p.kata.Steps {
		var kinds []string
		for _, h := range hints[s.Test] {
			if h.Text != "" {
				kinds = append(kinds, h.Kind)
			}
		}
		p.check(slices.Equal(kinds, []string{workbook.Nudge, workbook.Idea, workbook.Formula}), file,
			"step %s has the hints %v: give it a Nudge, an Idea and a Formula, in this order, each with a text", s.Test, kinds)
	}
}

// The length of the answer said aloud. CONTRIBUTING.md asks for 120–180 words; formulas make the count a rough one.
const fewestWords, mostWords = 100, 200

func (p *proof) answer() {
	file := filepath.Join(p.kata.SolutionDir(), "ANSWER.md")
	text, err := p.kata.Answer()
	if !p.check(err == nil, file, "%v", missing(err)) {
		return
	}
	p.wantHeadings(file, text, "# "+p.kata.Title+": the answer", "## In 60 seconds", "## The numbers", "## Where the common answer is wrong",
		"## Follow-ups", "## Rubric", "## Sources")
	for _, s := range sections(text, 2) {
		p.check(s.Whole != "", file, "section %q is empty", s.Title)
		switch s.Title {
		case "In 60 seconds":
			n := len(strings.Fields(s.Whole))
			p.check(n >= fewestWords && n <= mostWords, file, "the 60-second answer has %d words: make it %d to %d", n, fewestWords, mostWords)
		case "Follow-ups":
			questions := sections(s.Whole, 3)
			p.check(len(questions) == 3, file, "it has %d follow-ups: make it three ### questions", len(questions))
			for _, q := range questions {
				p.check(goodLine.MatchString(q.Whole) && badLine.MatchString(q.Whole), file, "follow-up %q needs a line “Good: …” and a line “Bad: …”", q.Title)
			}
		case "Rubric":
			var levels []string
			for _, m := range rubricLine.FindAllStringSubmatch(s.Whole, -1) {
				levels = append(levels, m[1])
			}
			p.check(slices.Equal(levels, []string{"1", "2", "3", "4"}), file, "the rubric's levels are %v: make them the rows | 1 | to | 4 |, each with a text", levels)
		}
	}
}

var (
	goodLine   = regexp.MustCompile(`(?m)^Good: \S`)
	badLine    = regexp.MustCompile(`(?m)^Bad: \S`)
	rubricLine = regexp.MustCompile(`(?m)^\|\s*(\d+)\s*\|\s*[^|\s]`)
)

// missing shortens the error for a file that is not there.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("it is missing: write it, CONTRIBUTING.md says how")
	}
	return err
}

func (p *proof) wantHeadings(file, text string, want ...string) {
	var got []string
	for _, level := range []int{1, 2} {
		for _, s := range sections(text, level) {
			got = append(got, strings.Repeat("#", level)+" "+s.Title)
		}
	}
	p.check(slices.Equal(got, want), file, "its headings are %q: make them %q", got, want)
}

// shortestStatement is the length from which a line of the reference is its own: below, a formula may look like it.
const shortestStatement = 24

// noCode checks that no statement of the reference stands in text.
func (p *proof) noCode(file, text string) {
	source, err := workbook.ReadText(p.kata.Reference())
	if err != nil {
		return // contract says so
	}
	text = flat(text)
	shown := ""
	for line := range strings.Lines(string(source)) {
		line, _, _ = strings.Cut(flat(line), " //")
		if len(line) >= shortestStatement && !declares.MatchString(line) && strings.Contains(text, line) {
			shown = line
			break
		}
	}
	p.check(shown == "", file, "it shows the code of an answer: %s", shown)
}

// declares matches the lines of Go that are no statement of an answer's own.
var declares = regexp.MustCompile(`^(//|"|package |import |type |func |panic\()`)

// sections are those of one level.
func sections(text string, level int) []markdown.Section {
	return slices.DeleteFunc(markdown.Sections(text), func(s markdown.Section) bool { return s.Level != level })
}
