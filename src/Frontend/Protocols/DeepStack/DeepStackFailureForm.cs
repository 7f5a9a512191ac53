using System.Text.Encodings.Web;
using System.Text.Json;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Protocols.DeepStack;

/// <summary>Writes failures as DeepStack and CodeProject.AI do.</summary>
internal sealed class DeepStackFailureForm : IFailureForm
{
    // People read failures in a terminal, so only the characters that JSON requires are escaped.
    private static readonly DeepStackJson Json = new(new JsonSerializerOptions(DeepStackJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public Task WriteAsync(HttpResponse response, ProblemDetails problem) => response.WriteAsJsonAsync(
        new DeepStackFailure(false, problem.Detail ?? problem.Title ?? "", response.StatusCode),
        Json.DeepStackFailure,
        cancellationToken: response.HttpContext.RequestAborted);
}
