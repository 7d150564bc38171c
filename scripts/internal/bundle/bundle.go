// Package bundle makes what leaves the house: folders and archives for students and candidates. What may leave is a list, of paths and of kinds;
// everything else stays, and in doubt nothing leaves.
package bundle

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Bundle is files by name. The zero Bundle is empty.
type Bundle struct {
	files map[string][]byte
}

// File is one file of a bundle.
type File struct {
	Name string // with slashes, relative
	Data []byte
}

// Add adds a text of the caller's own, a README for example. A name that cannot be a file beside the others is an error: one that leads out of the bundle, one that is taken,
// or differs from another in case alone.
func (b *Bundle) Add(name string, data []byte) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, `\:`) {
		return fmt.Errorf("bundle: %q is no name for a file", name)
	}
	for have := range b.files {
		if strings.EqualFold(have, name) || strings.HasPrefix(have, name+"/") || strings.HasPrefix(name, have+"/") {
			return fmt.Errorf("bundle: %s and %s cannot both be there", have, name)
		}
	}
	if b.files == nil {
		b.files = map[string][]byte{}
	}
	b.files[name] = data
	return nil
}

// Files returns the files, by name.
func (b *Bundle) Files() []File {
	files := make([]File, 0, len(b.files))
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		files = append(files, File{name, b.files[name]})
	}
	return files
}

// Size is the number of all bytes.
func (b *Bundle) Size() (n int64) {
	for _, data := range b.files {
		n += int64(len(data))
	}
	return n
}
