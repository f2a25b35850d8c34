import Foundation

/// A histogram of signed distances as the text of an SVG element, for a page whose style it takes.
///
/// Zero is in the middle; to either side distances grow by powers of two. Heights are logarithmic, so that
/// a single item shows beside a million.
struct DistancePicture {
  let title: String
  let histogram: Histogram
  /// What a distance is counted in.
  let unit: String
  /// Whether the areas of the bands are marked: those of distances in half-widths.
  let hasAreas: Bool
  /// Unique on the page.
  let id: String

  private static let (width, height) = (360.0, 200.0)
  private static let (left, right, top, bottom) = (34.0, 8.0, 30.0, 40.0)
  /// The first bin that is drawn; it holds what is smaller, too.
  private static let first = 8

  /// Bins a side that are drawn: up to 16 units, or to the last one that is used.
  private var last: Int {
    let (below, above) = histogram.sides
    let used = (0..<Histogram.bins).last { below[$0] + above[$0] > 0 } ?? 0
    return Swift.max(used + 1, 24)
  }

  private var bins: Int { last - Self.first }
  /// The bars: either side, zero, and, set apart, what has no measure.
  private var slots: Double { Double(2 * bins + 2) + (histogram.unmeasured > 0 ? 6 : 0) }
  private var step: Double { (Self.width - Self.left - Self.right) / slots }
  private var middle: Double { Self.left + step * Double(bins + 1) }

  /// The place of a signed distance that is an edge of bins.
  private func place(_ edge: Int, isBelow: Bool) -> Double {
    let away = step * Double(1 + Swift.min(Swift.max(edge - Self.first, 0), bins))
    return isBelow ? middle - away : middle + away
  }

  /// The counts of a side's drawn bins.
  private func drawn(_ counts: [Int]) -> [Int] {
    [counts[...Self.first].reduce(0, +)] + counts[(Self.first + 1)..<last]
  }

  private var decades: Int {
    let (below, above) = histogram.sides
    let most = Swift.max(
      (drawn(below) + drawn(above)).max() ?? 0, histogram.exact, histogram.unmeasured, 9)
    return Int(log10(Double(most))) + 1
  }

  private func height(_ count: Int) -> Double {
    let whole = Self.height - Self.top - Self.bottom
    return count == 0 ? 0 : whole * (log10(Double(count)) + 0.3) / (Double(decades) + 0.3)
  }

  var svg: String {
    var lines = [
      "<svg role=\"img\" viewBox=\"0 0 \(Self.width.places(0)) \(Self.height.places(0))\" "
        + "aria-labelledby=\"\(id)-t \(id)-d\">",
      "<title id=\"\(id)-t\">\(Markup.escaped(title))</title>",
      "<desc id=\"\(id)-d\">\(Markup.escaped(summary))</desc>",
    ]
    if hasAreas { lines += areas }
    lines += grid + bars + axis
    return (lines + ["</svg>"]).joined(separator: "\n")
  }

  /// The picture in a sentence.
  var summary: String {
    let (below, above) = histogram.sides
    let used = (0..<Histogram.bins).filter { below[$0] + above[$0] > 0 }
    var text = "\(histogram.count) numbers, \(histogram.exact) of them exact"
    if let last = used.last {
      text += ", the farthest below \(Self.number(Histogram.edge(last + 1))) \(unit)"
    }
    if hasAreas {
      let far = (16 + 4..<Histogram.bins).reduce(0) { $0 + below[$1] + above[$1] }
      text += ", \(far) more than 4 \(unit) off"
    }
    if histogram.unmeasured > 0 { text += ", \(histogram.unmeasured) NaN or without measure" }
    return text + "."
  }

  // MARK: Parts

  /// Bins 16 and 20 start at 1 and at 4 half-widths.
  private var areas: [String] {
    let whole = Self.height - Self.top - Self.bottom
    let edges =
      [last, 20, 16].map { place($0, isBelow: true) }
      + [16, 20, last].map { place($0, isBelow: false) }
    let names = ["outside", "accurate", "tight", "accurate", "outside"]
    return zip(names, zip(edges, edges.dropFirst())).flatMap { name, ends in
      let width = ends.1 - ends.0
      let box =
        "<rect class=\"area \(name)\" x=\"\(ends.0.places(1))\" y=\"\(Self.top.places(0))\" "
        + "width=\"\(width.places(1))\" height=\"\(whole.places(0))\"/>"
      guard width > 6.5 * Double(name.count) else { return [box] }
      return [box, text(name, (ends.0 + ends.1) / 2, Self.top - 6, "middle")]
    }
  }

  private var grid: [String] {
    let base = Self.height - Self.bottom
    return (0...decades).flatMap { power -> [String] in
      let count = Int(pow(10, Double(power)))
      let y = base - height(count)
      return [
        "<line class=\"grid\" x1=\"\(Self.left.places(0))\" x2=\"\((Self.width - Self.right).places(0))\""
          + " y1=\"\(y.places(1))\" y2=\"\(y.places(1))\"/>",
        text(power < 4 ? "\(count)" : "10" + Self.raised(power), Self.left - 4, y + 4, "end"),
      ]
    }
  }

  private var bars: [String] {
    let base = Self.height - Self.bottom
    let (below, above) = histogram.sides
    func bar(_ x: Double, _ width: Double, _ count: Int, _ name: String) -> String? {
      guard count > 0 else { return nil }
      let tall = height(count)
      return
        "<rect class=\"bar \(name)\" x=\"\((x + 0.4).places(1))\" y=\"\((base - tall).places(1))\" "
        + "width=\"\(Swift.max(width - 0.8, 0.8).places(1))\" height=\"\(tall.places(1))\"/>"
    }
    func name(_ k: Int) -> String {
      guard hasAreas else { return "plain" }
      return k < 16 ? "tight" : k < 20 ? "accurate" : "outside"
    }
    func side(_ counts: [Int], isBelow: Bool) -> [String?] {
      zip(Self.first..<last, drawn(counts)).map { k, count in
        bar(place(isBelow ? k + 1 : k, isBelow: isBelow), step, count, name(k))
      }
    }
    let zero = bar(middle - step, 2 * step, histogram.exact, hasAreas ? "tight" : "plain")
    let odd = bar(Self.width - Self.right - 3.5 * step, 3 * step, histogram.unmeasured, "outside")
    return (side(below, isBelow: true) + side(above, isBelow: false) + [zero, odd])
      .compactMap { $0 }
  }

  private var axis: [String] {
    let base = Self.height - Self.bottom
    var lines = [
      "<line class=\"axis\" x1=\"\(place(last, isBelow: true).places(1))\" "
        + "x2=\"\(place(last, isBelow: false).places(1))\" y1=\"\(base.places(0))\" "
        + "y2=\"\(base.places(0))\"/>",
      text("0", middle, base + 14, "middle"),
    ]
    // Every second power of two where there is room, and fewer where there are more.
    let stride = bins <= 24 ? 4 : bins <= 36 ? 8 : 16
    for edge in Swift.stride(from: 16, through: last, by: stride) {
      let label = Self.number(Histogram.edge(edge))
      lines.append(text("−" + label, place(edge, isBelow: true), base + 14, "middle"))
      lines.append(text(label, place(edge, isBelow: false), base + 14, "middle"))
    }
    if histogram.unmeasured > 0 {
      lines.append(text("NaN", Self.width - Self.right - 2 * step, base + 14, "middle"))
    }
    lines.append(
      text("distance from the truth in \(unit)", Self.width / 2, Self.height - 8, "middle"))
    return lines
  }

  private func text(_ text: String, _ x: Double, _ y: Double, _ anchor: String) -> String {
    "<text x=\"\(x.places(1))\" y=\"\(y.places(1))\" text-anchor=\"\(anchor)\">\(text)</text>"
  }

  // MARK: Words

  /// A power of two, or a half-power, as short as it reads well.
  private static func number(_ x: Double) -> String {
    if x >= 2048 { return "2" + raised(Int(x.exponent) + (x.significand > 1 ? 1 : 0)) }
    return x == x.rounded() || x > 100 ? "\(Int(x.rounded(.up)))" : String(format: "%.2g", x)
  }

  private static func raised(_ n: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return String("\(n)".compactMap { $0.wholeNumberValue.map { digits[$0] } })
  }
}
