//! The examples of the guide to several servers work unchanged.

use serde_json::Value;

use crate::support::command;

const PAGE: &str = include_str!("../../../docs/content/how-to/several-servers.md");

/// Returns the YAML documents of a file in the guide.
fn documents(file: &str) -> Vec<Value> {
    let (_, rest) = PAGE.split_once(&format!("```yaml title=\"{file}\"\n")).unwrap();
    let texts = rest.split("```\n").next().unwrap().split("---\n");
    texts.map(|text| serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))).collect()
}

/// Asserts that mockd accepts the arguments, and fails only because the scenario file does not exist.
async fn assert_accepted(arguments: &[&str]) {
    let output = command(arguments).output().await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && stderr.contains("there is no such file"), "{arguments:?}: {stderr}");
}

#[tokio::test]
async fn the_commands_for_compose_and_kubernetes_are_valid() {
    let compose = documents("compose.yml");
    let compose = compose[0]["services"]["mockd"]["command"].as_str().unwrap();
    assert_accepted(&compose.split(' ').collect::<Vec<_>>()).await;
    let documents = documents("kubernetes.yml");
    let deployment = documents.iter().find(|document| document["kind"] == "Deployment").unwrap();
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let arguments: Vec<&str> = container["args"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_accepted(&arguments).await;
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/__mockd/health");
}

#[tokio::test]
async fn the_scenario_in_the_config_map_is_valid() {
    let documents = documents("kubernetes.yml");
    let map = documents.iter().find(|document| document["kind"] == "ConfigMap").unwrap();
    let file = crate::support::ScenarioFile::new(map["data"]["shop.yaml"].as_str().unwrap());
    let checked = command(&["check", file.path().to_str().unwrap()]).status().await.unwrap();
    assert!(checked.success());
}
