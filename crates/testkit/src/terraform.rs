use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where a copy of Terraform's AWS provider may lie; the first is asked of the environment.
const MIRRORS: [&str; 3] =
    ["/opt/tf-plugins", "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"];

/// Terraform in a folder of its own, with its AWS provider from a folder of this host.
#[derive(Debug)]
pub struct Terraform {
    folder: PathBuf,
}

impl Terraform {
    /// Terraform for the configuration in `folder`. `None`, said loudly, where it or its AWS provider isn't installed;
    /// `TERRAFORM_MIRROR` names a filesystem mirror in an unusual place.
    pub fn find(folder: &Path) -> Option<Terraform> {
        let installed = Command::new("terraform").arg("version").output();
        if !installed.is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: no terraform on this host");
            return None;
        }
        let asked = env::var_os("TERRAFORM_MIRROR").map(PathBuf::from);
        let own = env::var_os("HOME").map(|home| Path::new(&home).join(".terraform.d/plugins"));
        let places = asked.into_iter().chain(own).chain(MIRRORS.map(PathBuf::from));
        let holds = |place: &PathBuf| place.join("registry.terraform.io/hashicorp/aws").is_dir();
        let Some(mirror) = places.into_iter().find(holds) else {
            eprintln!(
                "SKIPPED: no copy of terraform's AWS provider on this host; TERRAFORM_MIRROR can name one"
            );
            return None;
        };
        let settings = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n\
             disable_checkpoint = true\n"
        );
        fs::write(folder.join("terraform.rc"), settings).expect("the folder can be written");
        Some(Terraform { folder: folder.to_owned() })
    }

    /// Runs a command that may ask and show colours, with both off.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let quiet = ["-no-color", "-input=false"];
        self.run_plain(&[&arguments[..1], &quiet, &arguments[1..]].concat())
    }

    /// Runs a command as it is.
    pub fn run_plain(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("terraform");
        command.current_dir(&self.folder).env("TF_CLI_CONFIG_FILE", self.folder.join("terraform.rc"));
        command.env("TF_IN_AUTOMATION", "1").env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command.args(arguments).output().expect("terraform starts")
    }
}
