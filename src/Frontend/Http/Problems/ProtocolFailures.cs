namespace Detection.Frontend.Http.Problems;

/// <summary>The form of all failures below a protocol's path, also where there is no endpoint.</summary>
/// <param name="Prefix">The protocol's path.</param>
/// <param name="Form">Writes the failures.</param>
internal sealed record ProtocolFailures(PathString Prefix, IFailureForm Form);
