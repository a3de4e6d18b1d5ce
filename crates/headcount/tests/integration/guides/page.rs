//! A guide as its tests read it: the tables of mappings, and the commands with what they print.

/// A guide.
pub(super) struct Page(&'static str);

/// A line of a table of mappings.
#[derive(Clone, Copy)]
pub(super) struct Mapping<'a> {
    /// The attribute of the provider, or an expression over its attributes.
    pub(super) source: &'a str,
    /// The schema that the text before the table names.
    pub(super) namespace: Option<&'a str>,
    /// The attribute of SCIM.
    pub(super) target: &'a str,
    /// A value that the provider may send.
    pub(super) sample: &'a str,
}

/// A table of mappings.
pub(super) struct Mappings<'a> {
    /// Whether an administrator chooses one of its lines.
    pub(super) choice: bool,
    pub(super) lines: Vec<Mapping<'a>>,
}

/// Commands, and what they print.
pub(super) struct Commands {
    pub(super) script: String,
    pub(super) printed: Option<Printed>,
}

/// What a guide says is printed.
pub(super) enum Printed {
    Text(String),
    Json(String),
}

/// The first cells of the tables that are no mappings.
const OTHER_TABLES: [&str; 4] = ["Field", "Application", "Product", "In the provider"];
const NAMESPACE: &str = "External namespace: ";

impl Page {
    pub(super) fn new(text: &'static str) -> Self {
        Self(text)
    }

    /// Every table of mappings. A table of which the tests know nothing fails them.
    pub(super) fn mappings(&self) -> Vec<Mappings<'static>> {
        let lines: Vec<&'static str> = self.0.lines().collect();
        let mut namespace = None;
        let mut tables = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            if let Some(named) = line.strip_prefix(NAMESPACE) {
                namespace = Some(plain(named));
            }
            if line.starts_with('#') {
                namespace = None;
            }
            let is_head = lines.get(number + 1).is_some_and(|next| next.starts_with("|--"));
            if !is_head {
                continue;
            }
            let head = cells(line);
            if head.last() != Some(&"Sample") {
                assert!(OTHER_TABLES.contains(&head[0]), "no test reads the table {head:?}");
                continue;
            }
            let rows = lines[number + 2..].iter().take_while(|line| line.starts_with('|'));
            let lines = rows.map(|row| mapping(row, namespace)).collect();
            tables.push(Mappings { choice: head[0].starts_with("One of"), lines });
        }
        assert!(!tables.is_empty(), "the guide has no mappings");
        tables
    }

    /// Every command, in order.
    pub(super) fn commands(&self) -> Vec<Commands> {
        let mut commands: Vec<Commands> = Vec::new();
        let mut between = "";
        for (number, part) in self.0.split("```").enumerate() {
            if number % 2 == 0 {
                between = part;
                continue;
            }
            let (kind, text) = part.split_once('\n').expect("a block has lines");
            let follows = between.trim().is_empty();
            let printed = match kind {
                "sh" => {
                    commands.push(Commands { script: text.to_owned(), printed: None });
                    continue;
                }
                "text" => Printed::Text(text.to_owned()),
                "json" => Printed::Json(text.to_owned()),
                // What is typed into a screen.
                "template" => continue,
                other => panic!("no test reads blocks of {other:?}"),
            };
            let last = commands.last_mut().filter(|_| follows).expect("it follows a command");
            last.printed = Some(printed);
        }
        assert!(!commands.is_empty(), "the guide has no commands");
        commands
    }

    /// What is typed into a screen, as a block.
    pub(super) fn template(&self) -> &'static str {
        let (_, rest) = self.0.split_once("```template\n").expect("the guide has a template");
        rest.split_once("```").expect("the block ends").0
    }
}

fn mapping<'a>(row: &'a str, namespace: Option<&'a str>) -> Mapping<'a> {
    let cells = cells(row);
    let [source, target, sample] = cells.as_slice() else { panic!("three cells expected: {row}") };
    Mapping { source: plain(source), namespace, target: plain(target), sample: plain(sample) }
}

fn cells(row: &str) -> Vec<&str> {
    row.trim().trim_matches('|').split(" | ").map(str::trim).collect()
}

fn plain(cell: &str) -> &str {
    cell.trim().trim_matches('`')
}
