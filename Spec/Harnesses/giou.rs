// Answers `lossref verify --loss giou -- ./giou`; built by `rustc -O giou.rs`. Put yours in.
use std::io::{stdin, stdout, BufRead, Write};

fn giou(p: &[f32], t: &[f32]) -> (f32, Vec<f32>) {
    let (w, h) = (p[2] - p[0], p[3] - p[1]);
    let iw = (p[2].min(t[2]) - p[0].max(t[0])).max(0.0);
    let ih = (p[3].min(t[3]) - p[1].max(t[1])).max(0.0);
    let (cw, ch) = (p[2].max(t[2]) - p[0].min(t[0]), p[3].max(t[3]) - p[1].min(t[1]));
    let (i, c) = (iw * ih, cw * ch);
    let u = w * h + (t[2] - t[0]) * (t[3] - t[1]) - i;
    let slope = |k: usize| {
        let sign = if k < 2 { -1.0 } else { 1.0 };
        let inner = if k < 2 { p[k] > t[k] } else { p[k] < t[k] };
        let pick = |x: f32, y: f32| sign * if k % 2 == 0 { x } else { y };
        let di = if inner && i > 0.0 { pick(ih, iw) } else { 0.0 };
        let (du, dc) = (pick(h, w) - di, if inner { 0.0 } else { pick(ch, cw) });
        -(di * u - i * du) / (u * u) + (u * dc - du * c) / (c * c)
    };
    (1.0 - i / u + (c - u) / c, (0..4).map(slope).collect())
}

fn after<'a>(s: &'a str, names: &[&str]) -> &'a str { names.iter().fold(s, |s, n| &s[s.find(n).unwrap() + n.len()..]) }
fn text(s: &str) -> &str { &s[..s.find('"').unwrap()] }
fn unpack(s: &str) -> Vec<f32> { (0..s.len() / 8).map(|i| f32::from_bits(u32::from_str_radix(&s[8 * i..8 * i + 8], 16).unwrap())).collect() }
fn pack(x: impl Iterator<Item = f32>) -> String { x.map(|x| format!("{:08x}", x.to_bits())).collect() }

fn main() {
    let mut width = 4;
    for m in stdin().lock().lines().map(Result::unwrap).take_while(|m| !m.contains("\"bye\"")) {
        if m.contains("\"hello\"") { println!("{{\"nonce\":\"{}\",\"protocol\":1,\"name\":\"GIoU in Rust\",\"losses\":[\"giou\"]}}", text(after(&m, &["\"nonce\":\""]))) }
        else if m.contains("\"select\"") { width = if m.contains("\"sum\"") { 1 } else { 4 }; println!("{}", if m.contains("\"f32\"") && (width == 1 || m.contains("\"giou\"")) { "{\"ok\":true}" } else { "{\"unsupported\":\"only giou in f32\"}" }) }
        else { let (p, t) = (unpack(text(after(&m, &["\"prediction\"", "\"data\":\""]))), unpack(text(after(&m, &["\"target\"", "\"data\":\""]))));
            let r: Vec<_> = p.chunks(width).zip(t.chunks(width)).map(|(p, t)| if width == 1 { (p[0] + t[0], vec![1.0]) } else { giou(p, t) }).collect();
            let gradient = if m.contains("\"gradient\":true") { format!(",\"gradient\":\"{}\"", pack(r.iter().flat_map(|r| r.1.clone()))) } else { String::new() };
            println!("{{\"seq\":{},\"value\":\"{}\"{}}}", after(&m, &["\"seq\":"]).split(|c| c == ',' || c == '}').next().unwrap(), pack(r.iter().map(|r| r.0)), gradient) }
        stdout().flush().unwrap();
    }
}
