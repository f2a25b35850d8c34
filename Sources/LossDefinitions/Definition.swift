/// A member of the catalog: something defined twice, with a chapter of its own.
public protocol Definition: Sendable {
  /// The name in vectors, tables and on the command line: "ciou".
  static var name: String { get }
  static var family: Family { get }
  /// How each framework writes it.
  static var dialects: [Dialect] { get }
}

extension Definition {
  public static var dialects: [Dialect] { [] }

  /// The chapter's path, the same as the source's.
  public static var chapter: String { "Spec/\(family.rawValue)/\(self).md" }
  public static var source: String { "Sources/LossDefinitions/\(family.rawValue)/\(self).swift" }
}

public enum Family: String, Sendable, CaseIterable {
  case boxes = "Boxes"
  case rotatedBoxes = "RotatedBoxes"
  case keypoints = "Keypoints"
  case elements = "Elements"
  case classes = "Classes"
  case regions = "Regions"
  case assignment = "Assignment"
  case detectors = "Detectors"
}
