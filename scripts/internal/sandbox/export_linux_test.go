package sandbox

import "os"

// WithoutNamespaces is a Landlock sandbox as it is where namespaces are forbidden.
func (s *Sandbox) WithoutNamespaces() *Sandbox {
	plain := *s
	plain.namespaces = 0
	plain.lacks = landlockLacks(false, os.Getuid() == 0, 0)
	return &plain
}

// Namespaces says whether a Landlock sandbox has some to give up.
func (s *Sandbox) Namespaces() bool { return s.namespaces != 0 }
