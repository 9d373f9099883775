//! The Dockerfile says what the image holds: the tests take it from there, and see that a builder is given all it needs.

use std::path::Path;

use crate::support::static_binary::{made_of, static_binary};

const DOCKERFILE: &str = include_str!("../../../Dockerfile");
const IGNORED: &str = include_str!("../../../.dockerignore");

/// What the last stage says of how the image is run.
#[derive(Debug, PartialEq)]
pub(super) struct Image {
    pub(super) entrypoint: String,
    pub(super) folder: String,
    pub(super) user: u32,
}

impl Image {
    /// What the Dockerfile of this repository says.
    pub(super) fn of_dockerfile() -> Self {
        let (_, last_stage) = DOCKERFILE
            .rsplit_once("\nFROM ")
            .expect("there are two stages");
        let of = |instruction: &str| {
            let mut lines = last_stage
                .lines()
                .filter_map(|line| line.strip_prefix(instruction));
            lines
                .next()
                .unwrap_or_else(|| panic!("the image has no {instruction}"))
                .trim()
                .to_owned()
        };
        let command: Vec<String> = serde_json::from_str(&of("ENTRYPOINT "))
            .expect("the entry point is a list: no shell is there to read a text");
        let [entrypoint] = &command[..] else {
            panic!(
                "the entry point is a program without arguments, so that those of a pod follow it"
            );
        };
        let user = of("USER ");
        let (user, group) = user.split_once(':').expect("user and group");
        assert_eq!(user, group);
        let copied = format!("COPY --from=build /image/sloburn {entrypoint}");
        assert!(
            last_stage.contains(&copied),
            "what is run is what was built"
        );
        Self {
            entrypoint: entrypoint.clone(),
            folder: of("WORKDIR "),
            user: user
                .parse()
                .expect("a number, so that Kubernetes sees that it is not root"),
        }
    }
}

#[test]
fn the_image_runs_as_nobody_in_the_folder_of_its_store() {
    let image = Image {
        entrypoint: "/usr/local/bin/sloburn".into(),
        folder: "/var/lib/sloburn".into(),
        user: 65_532,
    };
    assert_eq!(Image::of_dockerfile(), image);
    assert!(
        DOCKERFILE.contains("make static"),
        "it is built as the tested one is"
    );
}

#[test]
fn the_builder_is_given_all_that_the_binary_is_made_of() {
    if static_binary().is_none() {
        return;
    }
    let given: Vec<&str> = IGNORED
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in made_of() {
        let file = file
            .strip_prefix(root)
            .expect("it is made of files of the repository");
        assert!(
            given.iter().any(|entry| file.starts_with(entry)),
            "{} is kept from the builder by .dockerignore",
            file.display()
        );
    }
}
