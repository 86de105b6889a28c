//! The browser app in a real Chromium.

use serde_json::json;

use crate::support::{Browser, Mockd, SHOP, ScenarioFile, needs, poll, soon};

/// Returns a script that reads one part of a product's row.
fn product_text(id: &str, part: &str) -> String {
    format!("document.querySelector('[data-id=\"{id}\"] {part}').textContent")
}

const STATE: &str = "document.querySelector('#status').dataset.state";
const IDS: &str = "[...document.querySelectorAll('#products li')].map((row) => row.dataset.id)";

#[tokio::test]
async fn the_page_orders_adds_and_switches_category_on_one_socket() {
    needs!(Browser);
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run(&file).await;
    let browser = Browser::open(1000, 800).await;
    browser.goto(mockd.url()).await;
    browser.becomes("document.querySelector('#category').options.length", 3).await;
    browser.eval("window.sockets = 0, WebSocket = class extends WebSocket { constructor(url) { super(url); sockets += 1; } }").await;
    browser.choose("electronics").await;
    browser.becomes(IDS, vec!["A1", "A2"]).await;
    browser.becomes(&product_text("A1", ".orders"), "3").await;
    browser.becomes(&product_text("A2", ".orders"), "7").await;
    browser.becomes(&product_text("A1", ".name"), "Vacuum Cleaner").await;
    browser.becomes(STATE, "live").await;
    mockd.order("A1", 10).await;
    browser.becomes(&product_text("A1", ".orders"), "13").await;
    browser.click("[data-id=A1] summary").await;
    browser.screenshot("shop-wide").await;
    browser.click("[data-id=A1] [data-amount='10']").await;
    browser.becomes(&product_text("A1", ".orders"), "23").await;

    for (field, text) in [("name", "Drone"), ("rrp", "12.50"), ("info", "Flies.")] {
        browser.fill(field, text).await;
    }
    browser.click("#add button").await;
    browser.becomes(IDS, vec!["A1", "A2", "A3"]).await;
    browser.becomes(&product_text("A3", ".orders"), "0").await;
    browser.becomes("document.querySelector('#add [name=name]').value", "").await;
    mockd.order("A3", 2).await;
    browser.becomes(&product_text("A3", ".orders"), "2").await;
    // The open details stay open.
    browser.becomes("document.querySelector('[data-id=A1] details').open", true).await;

    // A product that another client adds appears with its total.
    mockd.post("/electronics", r#"{"name":"Kettle"}"#).await;
    browser.becomes(&product_text("A4", ".orders"), "0").await;

    browser.choose("confectionery").await;
    browser.becomes(IDS, vec!["B1"]).await;
    browser.becomes(&product_text("B1", ".orders"), "101").await;
    // The page still uses its first socket.
    assert_eq!(browser.eval("sockets").await, 0);
    browser.close().await;
}

#[tokio::test]
async fn the_page_follows_edits_of_the_file() {
    needs!(Browser);
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run(&file).await;
    let browser = Browser::open(1000, 800).await;
    // Edits apply even before a category is chosen.
    browser.goto(mockd.url()).await;
    browser.becomes(STATE, "live").await;
    file.save_like_vim(&format!("{SHOP}  books: {{ prefix: C }}\n"));
    browser.becomes("document.querySelector('#category').options.length", 4).await;
    browser.choose("electronics").await;
    browser.becomes(&product_text("A1", ".orders"), "3").await;
    let edited = SHOP
        .replace("Vacuum Cleaner", "Hoover")
        .replace("total: 7 }", "total: 70 }\n      - { id: A9, name: Kettle, total: 9 }")
        .replace("confectionery:", "sweets:");
    file.save_like_vim(&edited);
    browser.becomes(&product_text("A1", ".name"), "Hoover").await;
    browser.becomes(&product_text("A2", ".orders"), "70").await;
    browser.becomes(&product_text("A9", ".orders"), "9").await;
    let options = "[...document.querySelector('#category').options].map((option) => option.value)";
    browser.becomes(options, vec!["", "electronics", "sweets"]).await;
    // A product that moves into the category keeps its total.
    let b1 = edited.lines().find(|line| line.contains("id: B1")).unwrap();
    let moved = edited.replace(&format!("{b1}\n"), "").replace("      - { id: A1", &format!("{b1}\n      - {{ id: A1"));
    file.write_in_place(&moved);
    browser.becomes(&product_text("B1", ".orders"), "101").await;
    file.write_in_place(&edited.replace("electronics:", "gadgets:"));
    browser.becomes("document.querySelector('#hint').hidden", false).await;
    browser.becomes(IDS, Vec::<String>::new()).await;
    browser.close().await;
}

#[tokio::test]
async fn the_page_reports_reconnecting_and_recovers() {
    needs!(Browser);
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run(&file).await;
    let browser = Browser::open(1000, 800).await;
    browser.goto(&format!("{}/#electronics", mockd.url())).await;
    browser.becomes(&product_text("A1", ".orders"), "3").await;
    let port = mockd.kill().await;
    browser.becomes("document.querySelector('#status').textContent", "Connection lost, reconnecting…").await;
    browser.screenshot("shop-reconnecting").await;
    file.write_in_place(&SHOP.replace("total: 3 }", "total: 33 }").replace("Leaf Blower", "Rake"));
    let restarted = Mockd::run_with(file.path(), &["--port", &port.to_string()]).await;
    browser.becomes(STATE, "live").await;
    browser.becomes(&product_text("A1", ".orders"), "33").await;
    browser.becomes(&product_text("A2", ".name"), "Rake").await;
    restarted.order("A1", 1).await;
    browser.becomes(&product_text("A1", ".orders"), "34").await;
    browser.close().await;
}

#[tokio::test]
async fn the_page_works_from_another_origin_with_an_api_parameter() {
    needs!(Browser);
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run(&file).await;
    // Another mockd serves the same files on another port, as any file server would.
    let site = Mockd::run_with(file.path(), &["--static", "static"]).await;
    let browser = Browser::open(1000, 800).await;
    browser.goto(&format!("{}/?api={}#electronics", site.url(), mockd.address())).await;
    browser.becomes(&product_text("A1", ".orders"), "3").await;
    mockd.order("A1", 10).await;
    browser.becomes(&product_text("A1", ".orders"), "13").await;
    for (field, text) in [("name", "Drone"), ("rrp", "1"), ("info", "Flies.")] {
        browser.fill(field, text).await;
    }
    browser.click("#add button").await;
    browser.becomes(IDS, vec!["A1", "A2", "A3"]).await;
    assert_eq!(mockd.get("/electronics").await.json().as_array().unwrap().len(), 3);
    assert_eq!(site.get("/electronics").await.json().as_array().unwrap().len(), 2);
    browser.close().await;
}

#[tokio::test]
async fn text_from_the_mock_is_never_parsed_as_html() {
    needs!(Browser);
    let evil = "<img src=x onerror=document.title='taken'>";
    let scenario =
        SHOP.replace("name: Vacuum Cleaner", &format!("name: \"{evil}\"")).replace("id: A2", "id: \"A\\\"2<b>\"");
    let mockd = Mockd::run(&ScenarioFile::new(&scenario)).await;
    let browser = Browser::open(1000, 800).await;
    browser.goto(&format!("{}/#electronics", mockd.url())).await;
    browser.becomes(&product_text("A1", ".name"), evil).await;
    browser.becomes(&product_text("A1", ".orders"), "3").await;
    browser.becomes(IDS, vec!["A1", "A\"2<b>"]).await;
    mockd.order("A%222%3Cb%3E", 1).await;
    browser.becomes("document.querySelectorAll('#products .orders')[1].textContent", "8").await;
    browser.becomes("document.querySelectorAll('#products img, #products b').length", 0).await;
    browser.becomes("document.title", "shop – mockd").await;
    browser.close().await;
}

#[tokio::test]
async fn the_page_works_by_keyboard_and_fits_a_phone() {
    needs!(Browser);
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let browser = Browser::open(360, 740).await;
    browser.goto(mockd.url()).await;
    browser.becomes("document.querySelector('#category').options.length", 3).await;
    let (tab, enter) = ("\u{e004}", "\u{e007}");
    browser.type_keys(tab).await;
    browser.becomes("document.activeElement.id", "category").await;
    browser.type_keys("Elec").await;
    browser.becomes(IDS, vec!["A1", "A2"]).await;
    browser.type_keys(tab).await;
    browser.type_keys(enter).await;
    browser.becomes("document.querySelector('[data-id=A1] details').open", true).await;
    browser.type_keys(tab).await;
    browser.type_keys(enter).await;
    browser.becomes(&product_text("A1", ".orders"), "4").await;
    browser.becomes("document.documentElement.scrollWidth <= innerWidth", true).await;
    let small = "[...document.querySelectorAll('button, select, input')].filter((e) => e.offsetHeight && e.offsetHeight < 44).length";
    browser.becomes(small, 0).await;
    browser.screenshot("shop-phone").await;
    browser.close().await;
}

#[tokio::test]
async fn the_page_shows_the_true_state_after_the_bad_day() {
    needs!(Browser);
    let mockd = Mockd::run_with(std::path::Path::new("scenarios/bad-day.yaml"), &["--paused"]).await;
    let server_total = async |id: &str| mockd.get("/__mockd/state").await.json()["totals"][id].to_string();
    let advance_to = async |at: &str| drop(mockd.control("POST", "/__mockd/clock", json!({ "advance_to": at })).await);
    let browser = Browser::open(1000, 800).await;
    browser.goto(mockd.url()).await;
    browser.becomes("document.querySelector('#category').options.length", 3).await;
    browser.choose("electronics").await;
    browser.becomes(&product_text("A1", ".orders"), "3").await;
    let count = "window.lost = 0, new MutationObserver(() => lost += document.querySelector('#status').dataset.state === \
                 'offline').observe(document.querySelector('#status'), { attributes: true, attributeFilter: ['data-state'] })";
    browser.eval(count).await;
    // Request and frame faults leave no trace once they end.
    for at in ["54s", "64s", "69s", "74s", "79s", "84s", "89s"] {
        advance_to(at).await;
    }
    // The next fault would hit frames that are still in flight.
    mockd.until("/__mockd/sockets", |answer| answer["sockets"][0]["backlog"] == 0).await;
    advance_to("90s").await;
    browser.becomes(&product_text("A1", ".orders"), server_total("A1").await.as_str()).await;
    advance_to("94s").await;
    let last_received = server_total("A2").await;
    browser.becomes(&product_text("A2", ".orders"), last_received.as_str()).await;
    assert_ne!(
        browser.eval(&product_text("A1", ".orders")).await,
        server_total("A1").await,
        "A1 is current despite stale frames"
    );
    advance_to("104s").await;
    assert_ne!(
        browser.eval(&product_text("A2", ".orders")).await,
        server_total("A2").await,
        "A2 is current despite a silent socket"
    );
    advance_to("105s").await;
    for id in ["A1", "A2"] {
        browser.becomes(&product_text(id, ".orders"), server_total(id).await.as_str()).await;
    }
    assert_eq!(browser.eval("lost").await, 0);
    for (at, lost) in [("110s", 1), ("115s", 2)] {
        advance_to(at).await;
        browser.becomes("lost", lost).await;
        browser.becomes(STATE, "live").await;
    }
    advance_to("125s").await;
    browser.becomes(STATE, "offline").await;
    browser.screenshot("in-the-storm").await;
    advance_to("145s").await;
    browser.becomes(STATE, "live").await;
    browser.becomes(&product_text("A1", ".orders"), server_total("A1").await.as_str()).await;
    browser.click("[data-id=A1] summary").await;
    let before = server_total("A1").await;
    browser.click("[data-id=A1] [data-amount='10']").await;
    poll("the order", async || (server_total("A1").await != before).then_some(())).await;
    browser.becomes(&product_text("A1", ".orders"), server_total("A1").await.as_str()).await;
    browser.screenshot("after-the-bad-day").await;
    browser.close().await;
}

/// A scenario without a shop.
const NOTES: &str = "
data: { notes: [{ text: one }], price: 10 }
http:
  /notes: { crud: notes }
  GET /price: { body: $price }
  GET /a:b: { text: odd }
  GET /live/{id}: { stream: [{ reply: 1 }] }
";

const SHOP_IS_HIDDEN: &str = "document.querySelector('#shop').hidden";
const LISTED: &str = "['#routes', '#data'].map((list) => [...document.querySelectorAll(`${list} li`)].map((item) => \
                      [...item.children].map(({ textContent }) => textContent).join('|')))";
const LINKS: &str = "[...document.querySelectorAll('#routes a, #dashboard')].map(({ href }) => href)";

#[tokio::test]
async fn without_a_shop_the_page_lists_routes_and_data() {
    needs!(Browser);
    let mockd = Mockd::run(&ScenarioFile::new(NOTES)).await;
    let browser = Browser::open(1000, 800).await;
    browser.goto(&format!("{}/@a/", mockd.url())).await;
    browser.becomes(STATE, "live").await;
    let routes = json!([
        "GET POST|/notes|rows of notes",
        "GET PUT PATCH DELETE|/notes/{id}|rows of notes",
        "GET|/price|",
        "GET|/a:b|",
        "GET|/live/{id}|server-sent events",
    ]);
    browser.becomes(LISTED, json!([routes, ["notes|1 row", "price|a value"]])).await;
    browser.becomes(SHOP_IS_HIDDEN, true).await;
    let links = ["notes", "price", "a%3Ab", "__mockd/"].map(|path| format!("{}/@a/{path}", mockd.url()));
    browser.becomes(LINKS, json!(links)).await;
    mockd.post("/@a/notes", r#"{"text":"two"}"#).await;
    browser.becomes("document.querySelector('#data span').textContent", "2 rows").await;
    browser.screenshot("no-shop").await;
    browser.click("#routes li:nth-child(4) a").await;
    browser.becomes("document.body.textContent", "odd").await;
    browser.close().await;
}

#[tokio::test]
async fn the_page_follows_a_reload_that_removes_or_adds_the_shop() {
    needs!(Browser);
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run(&file).await;
    let browser = Browser::open(1000, 800).await;
    browser.goto(&format!("{}/#electronics", mockd.url())).await;
    browser.becomes(&product_text("A1", ".orders"), "3").await;
    file.write_in_place(NOTES);
    browser.becomes(SHOP_IS_HIDDEN, true).await;
    browser.becomes(STATE, "live").await;
    mockd.until("/__mockd/sockets", |answer| answer["sockets"] == json!([])).await;
    file.write_in_place(SHOP);
    browser.becomes(SHOP_IS_HIDDEN, false).await;
    browser.becomes(STATE, "live").await;
    browser.choose("electronics").await;
    browser.becomes(&product_text("A1", ".orders"), "3").await;
    browser.close().await;
}

#[tokio::test]
async fn the_page_without_a_shop_reconnects_to_a_restarted_server() {
    needs!(Browser);
    let file = ScenarioFile::new(NOTES);
    let mockd = Mockd::run(&file).await;
    let browser = Browser::open(360, 740).await;
    browser.goto(mockd.url()).await;
    browser.becomes(STATE, "live").await;
    browser.becomes("document.documentElement.scrollWidth <= innerWidth", true).await;
    let port = mockd.kill().await;
    browser.becomes("document.querySelector('#status').textContent", "Connection lost, reconnecting…").await;
    let _restarted = Mockd::run_with(file.path(), &["--port", &port.to_string()]).await;
    browser.becomes(STATE, "live").await;
    browser.close().await;
}

/// Sends requests with credentials to another origin. Returns a line for each: its method and path, then the status and
/// the start of the answer, or `refused` if the browser withholds the answer.
const FETCH_WITH_CREDENTIALS: &str = "
    const [api, done] = arguments;
    const json = { 'content-type': 'application/json' };
    const seen = (request, status, text) => `${request} ${status} ${text.slice(0, 25)}`;
    const fetched = (method, path, more) =>
        fetch(api + path, { method, credentials: 'include', ...more }).then(
            async (answer) => seen(`${method} ${path}`, answer.status, await answer.text()),
            () => `${method} ${path} refused`,
        );
    const asked = (path) => new Promise((resolve) => {
        const request = new XMLHttpRequest();
        request.open('GET', api + path);
        request.withCredentials = true;
        request.onload = () => resolve(seen(`XHR ${path}`, request.status, request.responseText));
        request.onerror = () => resolve(`XHR ${path} refused`);
        request.send();
    });
    Promise.all([
        fetched('GET', '/confectionery'),
        fetched('POST', '/orders/A1', { headers: json, body: JSON.stringify({ amount: 10 }) }),
        fetched('DELETE', '/confectionery'),
        fetched('DELETE', '/nothing/here'),
        asked('/electronics'),
    ]).then(done);
";

async fn fetch_with_credentials(browser: &Browser, mockd: &Mockd) -> Vec<String> {
    let seen = soon("the answers", browser.page.execute_async(FETCH_WITH_CREDENTIALS, vec![json!(mockd.url())]));
    serde_json::from_value(seen.await.unwrap()).unwrap()
}

const READABLE: [&str; 5] = [
    r#"GET /confectionery 200 [{"id":"B1","name":"Chewy"#,
    r#"POST /orders/A1 200 {"ok":true}"#,
    r#"DELETE /confectionery 404 {"message":"Route DELETE:"#,
    r#"DELETE /nothing/here 404 {"message":"Route DELETE:"#,
    r#"XHR /electronics 200 [{"id":"A1","name":"Vacuu"#,
];

const REFUSED: [&str; 5] = [
    "GET /confectionery refused",
    "POST /orders/A1 refused",
    "DELETE /confectionery refused",
    "DELETE /nothing/here refused",
    "XHR /electronics refused",
];

#[tokio::test]
async fn local_pages_send_credentials_and_read_answers() {
    needs!(Browser);
    let (mockd, site) = (Mockd::shop().await, Mockd::shop().await);
    let browser = Browser::open(1000, 800).await;
    browser.goto(site.url()).await;
    assert_eq!(fetch_with_credentials(&browser, &mockd).await, READABLE);
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["A1"], 13);
    browser.close().await;
}

#[tokio::test]
async fn only_listed_origins_read_answers_with_credentials() {
    needs!(Browser);
    let (listed, unlisted) = (Mockd::shop().await, Mockd::shop().await);
    let mockd = Mockd::shop_with(&format!("\nserver: {{ cors: [\"{}\"] }}\n", listed.url()), &[]).await;
    let browser = Browser::open(1000, 800).await;
    browser.goto(unlisted.url()).await;
    assert_eq!(fetch_with_credentials(&browser, &mockd).await, REFUSED);
    // The preflight failed, so the browser did not send the order.
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["A1"], 3);
    browser.goto(listed.url()).await;
    assert_eq!(fetch_with_credentials(&browser, &mockd).await, READABLE);
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["A1"], 13);
    browser.close().await;
}
