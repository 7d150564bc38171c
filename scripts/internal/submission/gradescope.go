package submission

import (
	"bytes"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
)

// metadataFile is what Gradescope puts beside the folders of an export.
const metadataFile = "submission_metadata.yml"

// maxMetadata is how large it may be: the results of every test are in it.
const maxMetadata = 64 << 20

// exported is what it says of a folder.
type exported struct {
	Submitters []struct {
		Name  string `yaml:":name"`
		SID   string `yaml:":sid"`
		Email string `yaml:":email"`
	} `yaml:":submitters"`
	Created string `yaml:":created_at"`
}

func readMetadata(r io.Reader) (map[string]exported, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxMetadata+1))
	if err == nil && len(text) > maxMetadata {
		err = fmt.Errorf("it has more than %d MiB", maxMetadata>>20)
	}
	var all map[string]exported
	if err == nil && yaml.Unmarshal(outline(text), &all) != nil {
		err = yaml.Unmarshal(text, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", metadataFile, clean(err.Error(), 400))
	}
	return all, nil
}

// outline is the metadata without the results of tests, which are nearly all of it: the lines of the two keys that are read. Everything else is indented further
// than a key of a submission, or such a key itself.
func outline(text []byte) []byte {
	var short bytes.Buffer
	var indent int // of such keys
	kept := false
	for line := range bytes.Lines(text) {
		key := bytes.TrimLeft(line, " ")
		depth := len(line) - len(key)
		if indent == 0 {
			indent = depth
		}
		switch {
		case depth == 0:
			short.Write(line)
			continue
		case depth == indent && key[0] == ':':
			kept = bytes.HasPrefix(key, []byte(":submitters:")) || bytes.HasPrefix(key, []byte(":created_at:"))
		}
		if kept {
			short.Write(line)
		}
	}
	return short.Bytes()
}

// identities are those of the group; none if it does not say who they are.
func (x exported) identities(folder string) ([]identity, error) {
	var all []identity
	for _, s := range x.Submitters {
		id := identity{system: byGradescope, name: s.Name, attempt: folder}
		for _, one := range []string{s.SID, s.Email} {
			if one != "" {
				id.ids = append(id.ids, one)
			}
		}
		switch {
		case len(id.ids) > 0:
			id.key = key(id.ids[0])
		case s.Name != "":
			id.key = key(s.Name)
		default:
			continue
		}
		if x.Created != "" {
			var err error
			if id.time, err = parseTime(x.Created); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", metadataFile, clean(folder, maxName), err)
			}
		}
		all = append(all, id)
	}
	return all, nil
}
