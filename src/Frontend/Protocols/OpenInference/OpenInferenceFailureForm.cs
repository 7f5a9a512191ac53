using System.Text.Encodings.Web;
using System.Text.Json;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Protocols.OpenInference;

/// <summary>Writes failures as the Open Inference Protocol requires.</summary>
internal sealed class OpenInferenceFailureForm : IFailureForm
{
    // People read failures in a terminal, so only the characters that JSON requires are escaped.
    private static readonly OpenInferenceJson Json = new(new JsonSerializerOptions(OpenInferenceJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public Task WriteAsync(HttpResponse response, ProblemDetails problem) => response.WriteAsJsonAsync(
        new OpenInferenceFailure(problem.Detail ?? problem.Title ?? ""),
        Json.OpenInferenceFailure,
        cancellationToken: response.HttpContext.RequestAborted);
}
