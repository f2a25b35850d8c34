// How the calls of detectors pass what a batch is held against.

extension Call {
  /// A parameter that is a list of numbers.
  func numbers(_ name: String, _ standard: [Double]) throws -> [Double] {
    switch parameters[name] {
    case nil: return standard
    case .list(let items):
      guard items.count == standard.count else {
        throw Refusal.rejected(
          "parameter \"\(name)\" has \(items.count) numbers; expected \(standard.count)")
      }
      return try items.map { item in
        guard case .number(let value) = item else {
          throw Refusal.rejected("parameter \"\(name)\" must be a list of numbers")
        }
        return value
      }
    default: throw Refusal.rejected("parameter \"\(name)\" must be a list of numbers")
    }
  }

  /// Whole numbers, a row for each of `rows` images.
  func indices(_ name: String, rows: Int) throws -> [[Int]] {
    let tensor = try tensor(name)
    guard tensor.shape.count == 2, tensor.shape[0] == rows else {
      throw Refusal.rejected("\"\(name)\" has shape \(tensor.shape); expected [\(rows), N]")
    }
    return try (0..<rows).map { try tensor.row($0).map { try Self.index(name, $0) } }
  }

  private static func index(_ name: String, _ value: Double) throws -> Int {
    guard let index = Int(exactly: value) else {
      throw Refusal.rejected("\"\(name)\" holds \(value); expected whole numbers")
    }
    return index
  }

  /// Boxes by corners, N rows.
  func rowsOfBoxes(_ name: String) throws -> [Box<Double>] {
    let tensor = try tensor(name)
    guard tensor.shape.count == 2, tensor.columns == 4 else {
      throw Refusal.rejected("\"\(name)\" has shape \(tensor.shape); expected [N, 4]")
    }
    return (0..<tensor.shape[0]).map { Box(Array(tensor.row($0))) }
  }

  /// Boxes by corners, as many for each of the images.
  func boxesOfImages(_ name: String, images: Int) throws -> [[Box<Double>]] {
    let tensor = try tensor(name)
    guard tensor.shape.count == 3, tensor.shape[0] == images, tensor.columns == 4 else {
      throw Refusal.rejected("\"\(name)\" has shape \(tensor.shape); expected [\(images), N, 4]")
    }
    return (0..<images).map { i in
      (0..<tensor.shape[1]).map { Box(Array(tensor.row(i * tensor.shape[1] + $0))) }
    }
  }

  /// Boxes and classes of all images in one list, and the image of each.
  func truthsByImage(
    _ boxes: String, _ classes: String, _ image: String, images: Int
  ) throws -> [ImageTruths] {
    let rows = try rowsOfBoxes(boxes)
    let labels = try tensor(classes, like: [rows.count])
    let owners = try tensor(image, like: [rows.count])
    var truths = [ImageTruths](repeating: ImageTruths(), count: images)
    for (i, box) in rows.enumerated() {
      let owner = try Self.index(image, owners[i])
      guard truths.indices.contains(owner) else {
        throw Refusal.rejected("\"\(image)\" holds \(owner); expected 0 ..< \(images)")
      }
      truths[owner].boxes.append(box)
      truths[owner].labels.append(try Self.index(classes, labels[i]))
    }
    return truths
  }
}
