package identity

// HasTemplates reports whether certificates have people's names in a form of their own.
func (b *Book) HasTemplates() bool { return len(b.templates) > 0 }
