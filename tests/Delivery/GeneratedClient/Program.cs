// Uses the client that Kiota generates from /openapi/v1.json. Arguments: address, picture. GeneratedClientTests builds it in a separate folder.
using Generated;
using Generated.Models;
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Http.HttpClientLibrary;

using var adapter = new HttpClientRequestAdapter(new AnonymousAuthenticationProvider()) { BaseUrl = args[0] };
var client = new DetectionHttpClient(adapter);

var answer = await client.V1.Detections.PostAsync(
    new PictureRequest { Image = await File.ReadAllBytesAsync(args[1]) },
    request => request.QueryParameters.Threshold = 0.5f);
foreach (var box in answer!.Boxes!)
{
    Console.WriteLine(FormattableString.Invariant($"{box.Label} {box.Score:F2} {box.X1:F0},{box.Y1:F0} {box.X2:F0},{box.Y2:F0}"));
}

var again = await client.V1.Detections[answer.ImageKey!].GetAsync();
Console.WriteLine($"again: {again!.Source}");

try
{
    await client.V1.Detections.PostAsync(new PictureRequest { Image = [1, 2, 3] });
}
catch (ProblemDetails problem)
{
    Console.WriteLine($"problem: {problem.Type}");
}
