package markdown

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSections(t *testing.T) {
	const source = `before

# Title

under the title

## First *part* ##

a

` + "```\n# no heading\n```" + `

### Deeper

b

## Second

c
`
	want := []Section{
		{1, "Title", 3, "under the title", "under the title\n\n## First *part* ##\n\na\n\n```\n# no heading\n```\n\n### Deeper\n\nb\n\n## Second\n\nc"},
		{2, "First *part*", 7, "a\n\n```\n# no heading\n```", "a\n\n```\n# no heading\n```\n\n### Deeper\n\nb"},
		{3, "Deeper", 15, "b", "b"},
		{2, "Second", 19, "c", "c"},
	}
	for name, text := range map[string]string{"as it is": source, "with the ends of lines of Windows": strings.ReplaceAll(source, "\n", "\r\n")} {
		if diff := cmp.Diff(want, Sections(text)); diff != "" {
			t.Errorf("Sections, %s, mismatch (-want +got):\n%s", name, diff)
		}
	}
	if got := Sections("no heading\n"); got != nil {
		t.Errorf("Sections without a heading = %v", got)
	}
}
