using Detection.Contracts.Answers;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Api.Batches;

/// <summary>The result of one picture of a batch, or, without an index, the problem that ended the batch early.</summary>
/// <param name="Index">Place of the picture in the request, from 0.</param>
/// <param name="Name">File name or URL of the picture, as it was sent; cut after 1000 characters.</param>
/// <param name="Result">The objects found.</param>
/// <param name="Problem">The failure, when there is no result.</param>
internal sealed record BatchLine(int? Index, string? Name, DetectionBody? Result, ProblemDetails? Problem);
